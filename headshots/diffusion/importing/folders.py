"""Plans the import of a diffusers folder: which of its files are taken, and under which names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
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
    read_vae,
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

WEIGHTED = ("unet", "vae", "text_encoder", "text_encoder_2")
"""Parts with weights that are taken, the last of SDXL's alone. A safety checker is not: nothing here runs it."""
OTHERS = ("scheduler", "tokenizer", "tokenizer_2")
"""Parts of texts alone, the last of SDXL's alone."""
TEXTS = (".json", ".txt")
_NOTHING = [None, None]


@dataclass(frozen=True)
class Pipeline:
    """What a diffusers folder says of itself without its weights.

    Attributes:
        index: ``model_index.json``.
        family: ``sd15`` or ``sdxl``.
        native_px: side in pixels that it was trained for.
    """

    index: Mapping[str, Any]
    family: str
    native_px: int

    @classmethod
    def read(cls, source: Path) -> Pipeline:
        """Of a folder that has its configurations.

        Raises:
            InvalidArgumentError: FOUNDATION_NOT_FOUND, FOUNDATION_UNSUPPORTED, FOUNDATION_INVALID.
        """
        index = read_index(source)
        check_pipeline(source, index)
        unet = read_json(source / "unet" / "config.json", "sample_size")
        vae = read_vae(source / "vae" / "config.json")
        check_unet(source / "unet" / "config.json", unet, vae["latent_channels"])
        family = "sdxl" if unet.get("addition_embed_type") == "text_time" else "sd15"
        return cls(index, family, unet["sample_size"] * 2 ** (len(vae["block_out_channels"]) - 1))

    def check_sampling(self, source: Path, options: ImportOptions, name: str = "") -> None:
        """Refuse what cannot be sampled as it lies in ``source``, or not with the options. Needs no weights.

        ``name``: what the operator calls the source; default: its path.

        Raises:
            InvalidArgumentError: SCHEDULER_UNSUPPORTED, FOUNDATION_SETTINGS_INVALID, FOUNDATION_INVALID,
                IMPORT_OPTIONS_INVALID (a sampler, where ``headshots.yaml`` is there), FUSE_OTHER_FAMILY.
        """
        settings = few_steps_in(read_settings(source / SETTINGS), options.few_steps, self.family)
        if options.sampler:
            if (source / SETTINGS).is_file():
                raise InvalidArgumentError(
                    "IMPORT_OPTIONS_INVALID",
                    f"{source / SETTINGS} is taken as it is; name the sampler {options.sampler} there",
                )
            settings["sampler"] = options.sampler
        read_sampling(source, self.family, settings, read_json(source / SCHEDULER), name)

    @property
    def weighted(self) -> tuple[str, ...]:
        """Parts with weights that are taken."""
        return WEIGHTED if self.family == "sdxl" else WEIGHTED[:-1]

    @property
    def others(self) -> tuple[str, ...]:
        """Parts of texts alone that are taken."""
        return OTHERS if self.family == "sdxl" else OTHERS[:-1]


class FolderPlan:
    """What is taken of a diffusers folder.

    Raises when it is made:
        InvalidArgumentError: FOUNDATION_NOT_FOUND, FOUNDATION_UNSUPPORTED, FOUNDATION_PICKLED, FOUNDATION_INVALID,
            FOUNDATION_SETTINGS_INVALID, SCHEDULER_UNSUPPORTED, IMPORT_OPTIONS_INVALID.
    """

    def __init__(self, source: Path, options: ImportOptions) -> None:
        self._source, self._sampler = source, options.sampler
        self._pipeline = Pipeline.read(source)
        self._weights = {part: find_weights(source / part, options.variant) for part in self._pipeline.weighted}
        self._others = self._pipeline.others
        for part in self._others:
            if not any((source / part).glob("*.json")):
                raise invalid_foundation(source / part, "it has no .json file; the folder is not a whole pipeline")
        self._pipeline.check_sampling(source, options)
        self._licences = licence_files(source)
        self.fusions = read_fusions(source)

    @property
    def family(self) -> str:
        """``sd15`` or ``sdxl``."""
        return self._pipeline.family

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
            for name, path in plain_files(part, weights)
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
            pipeline = self._pipeline
            made.append(text_piece(SETTINGS, default_settings(pipeline.family, pipeline.native_px, self._sampler)))
        return [*made, text_piece("model_index.json", as_json(self._own_index()))]

    def _copies(self) -> Iterator[tuple[str, Path]]:
        for part, weights in self._weights.items():
            yield f"{part}/config.json", self._source / part / "config.json"
            yield from plain_files(part, weights)
        for part in self._others:
            for path in sorted((self._source / part).iterdir()):
                if path.suffix in TEXTS:
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
            for key, value in self._pipeline.index.items()
        }
        return own | ({"requires_safety_checker": False} if "safety_checker" in own else {})


def plain_files(part: str, weights: Weights) -> Iterator[tuple[str, Path]]:
    """The files of a part's weights with their names within the foundation."""
    for file in weights.files:
        yield f"{part}/{weights.plain_name(file)}", file
