"""Plans the import of a diffusers folder: which of its files are taken, and under which names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from headshots.diffusion.foundations.files import (
    INITIAL_WEIGHTS,
    SETTINGS,
    check_unet,
    invalid_foundation,
    read_index,
    read_json,
    read_settings,
)
from headshots.diffusion.foundations.fusions import FUSION, read_fusions
from headshots.diffusion.foundations.kinds import check_pipeline
from headshots.diffusion.foundations.samplers import SCHEDULER, read_sampling
from headshots.diffusion.importing.defaults import as_json, default_settings
from headshots.diffusion.importing.fusing.few_steps import few_steps_in
from headshots.diffusion.importing.fusing.tensor_files import TensorFile
from headshots.diffusion.importing.licences import NONE_FOUND, licence_files
from headshots.diffusion.importing.pieces import Piece, copy_piece, text_piece
from headshots.diffusion.importing.plans import Shapes
from headshots.diffusion.importing.request import ImportOptions
from headshots.diffusion.importing.single_file.vocabulary import Vocabulary
from headshots.diffusion.importing.weights import Weights, find_weights, shard_index
from headshots.errors import InvalidArgumentError

# Parts that are taken; a safety checker is not, as nothing here runs it.
_WEIGHTED = ("unet", "vae", "text_encoder")
_OTHERS = ("tokenizer", "scheduler")
_TEXTS = (".json", ".txt")
_NOTHING = [None, None]


class FolderPlan:
    """What is taken of a diffusers folder.

    Raises when it is made:
        InvalidArgumentError: FOUNDATION_NOT_FOUND, FOUNDATION_UNSUPPORTED, FOUNDATION_PICKLED, FOUNDATION_INVALID,
            FOUNDATION_SETTINGS_INVALID, SCHEDULER_UNSUPPORTED, IMPORT_OPTIONS_INVALID.
    """

    def __init__(self, source: Path, options: ImportOptions) -> None:
        self._source, self._sampler = source, options.sampler
        self._index = read_index(source)
        check_pipeline(source, self._index)
        unet = read_json(source / "unet" / "config.json", "sample_size")
        vae = read_json(source / "vae" / "config.json", "block_out_channels", "latent_channels")
        check_unet(source / "unet" / "config.json", unet, int(vae["latent_channels"]))
        self.family = "sdxl" if unet.get("addition_embed_type") == "text_time" else "sd15"
        self._native_px = unet["sample_size"] * 2 ** (len(vae["block_out_channels"]) - 1)
        seconds = ("text_encoder_2", "tokenizer_2") if self.family == "sdxl" else ()
        self._weights = {part: find_weights(source / part, options.variant) for part in (*_WEIGHTED, *seconds[:1])}
        self._others = (*_OTHERS, *seconds[1:])
        for part in self._others:
            if not any((source / part).glob("*.json")):
                raise invalid_foundation(source / part, "it has no .json file; the folder is not a whole pipeline")
        self._check_sampler(options.few_steps)
        self._licences = licence_files(source)
        self.fusions = read_fusions(source)

    def _check_sampler(self, few_steps: str) -> None:
        """Said before gigabytes are copied."""
        settings = few_steps_in(read_settings(self._source / SETTINGS), few_steps, self.family)
        if self._sampler:
            if (self._source / SETTINGS).is_file():
                raise InvalidArgumentError(
                    "IMPORT_OPTIONS_INVALID",
                    f"{self._source / SETTINGS} is taken as it is; name the sampler {self._sampler} there",
                )
            settings["sampler"] = self._sampler
        read_sampling(self._source, self.family, settings, read_json(self._source / SCHEDULER))

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not evident: variants that were taken, a missing licence."""
        said = [
            f"{part}: the variant {weights.variant} was taken"
            for part, weights in self._weights.items()
            if weights.variant
        ]
        return (*said, *(() if self._licences else (NONE_FOUND,)))

    def sources(self) -> dict[str, Path]:
        """Every file that is taken as it is, by its path within the folder."""
        return {path.relative_to(self._source).as_posix(): path for _, path in self._copies()}

    def check(self) -> None:
        """All that can be refused was, when it was made."""

    def shapes(self) -> dict[str, Shapes]:
        """Of the UNet's and the text encoders' tensors, by file within the foundation."""
        return {
            name: {tensor.name: tensor.shape for tensor in TensorFile.open(path).tensors}
            for part, weights in self._weights.items()
            if part != "vae"
            for name, path in _plain_files(part, weights)
        }

    def pieces(self, digests: Mapping[str, str], vocabulary: Callable[[], Vocabulary]) -> list[Piece]:
        """What the foundation consists of, ``model_index.json`` last. ``digests``: SHA-256 of each of the sources.

        A folder has a vocabulary of its own, and none is brought.
        """
        made = [
            copy_piece(name, path, digests[path.relative_to(self._source).as_posix()]) for name, path in self._copies()
        ]
        for part, weights in self._weights.items():
            if len(weights.files) > 1:
                index = f"{part}/{weights.base}.safetensors.index.json"
                made.append(text_piece(index, as_json(shard_index(weights))))
        if not (self._source / SETTINGS).is_file():
            made.append(text_piece(SETTINGS, default_settings(self.family, self._native_px, self._sampler)))
        return [*made, text_piece("model_index.json", as_json(self._own_index()))]

    def _copies(self) -> Iterator[tuple[str, Path]]:
        for part, weights in self._weights.items():
            yield f"{part}/config.json", self._source / part / "config.json"
            yield from _plain_files(part, weights)
        for part in self._others:
            for path in sorted((self._source / part).iterdir()):
                if path.suffix in _TEXTS:
                    yield f"{part}/{path.name}", path
        for name in (SETTINGS, INITIAL_WEIGHTS, FUSION):
            if (self._source / name).is_file():
                yield name, self._source / name
        for path in self._licences:
            yield path.name, path

    def _own_index(self) -> dict[str, Any]:
        """The source's, without the parts that are not taken."""
        taken = (*self._weights, *self._others)
        own = {
            key: value if key in taken or not isinstance(value, list) else _NOTHING
            for key, value in self._index.items()
        }
        return own | ({"requires_safety_checker": False} if "safety_checker" in own else {})


def _plain_files(part: str, weights: Weights) -> Iterator[tuple[str, Path]]:
    for file in weights.files:
        yield f"{part}/{weights.plain_name(file)}", file
