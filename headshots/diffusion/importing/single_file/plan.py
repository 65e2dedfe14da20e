"""Plans the import of one safetensors file: networks, configurations and the vocabulary that it lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from headshots.diffusion.foundations.files import SETTINGS, invalid_foundation
from headshots.diffusion.foundations.fusions import FusionRecord
from headshots.diffusion.importing.defaults import as_json, default_settings
from headshots.diffusion.importing.licences import NONE_FOUND
from headshots.diffusion.importing.pieces import Piece, Tell, copy_piece, text_piece
from headshots.diffusion.importing.plans import Shapes
from headshots.diffusion.importing.request import ImportOptions
from headshots.diffusion.importing.single_file.checkpoints import TEXT_ENCODERS, UNET, VAE, Checkpoint
from headshots.diffusion.importing.single_file.shapes import Config, family_config
from headshots.diffusion.importing.single_file.vocabulary import Vocabulary
from headshots.errors import InvalidArgumentError
from headshots.processes.imports import importing

_ZERO_SNR: Config = {
    "_class_name": "EulerDiscreteScheduler",
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "num_train_timesteps": 1000,
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
}
"""Of models that were taught to begin with noise alone: steps begin at the very end (arXiv 2305.08891)."""


@dataclass(frozen=True)
class _Network:
    part: str
    prefix: str
    file: str

    @property
    def path(self) -> str:
        """Of its weights within the foundation."""
        return f"{self.part}/{self.file}.safetensors"


class SingleFilePlan:
    """What is taken of a file.

    Raises when it is made:
        InvalidArgumentError: IMPORT_OPTIONS_INVALID.
    """

    def __init__(self, checkpoint: Checkpoint, options: ImportOptions, licences: Sequence[Path]) -> None:
        """``licences``: files that stay with the model."""
        self._checkpoint, self._options, self._licences = checkpoint, options, licences
        self._scheduler()
        family = self._checkpoint.family
        self._networks = (
            *(_Network(part, prefix, "model") for part, prefix in TEXT_ENCODERS[family].items()),
            _Network("vae", VAE, "diffusion_pytorch_model"),
            _Network("unet", UNET, "diffusion_pytorch_model"),
        )

    @cached_property
    def _configs(self) -> Mapping[str, Config]:
        configs: Mapping[str, Config] = _converting().read_configs(self._checkpoint)
        return configs

    def check(self) -> None:
        """Refuse tensors that make no network of the family; imports torch.

        Raises:
            InvalidArgumentError: FOUNDATION_INVALID.
        """
        _ = self._configs

    @property
    def family(self) -> str:
        """``sd15`` or ``sdxl``."""
        return self._checkpoint.family

    @property
    def fusions(self) -> FusionRecord:
        """A file does not tell what was merged into it."""
        return FusionRecord()

    def shapes(self) -> dict[str, Shapes]:
        """Of the UNet's and the text encoders' tensors, by file within the foundation; imports torch."""
        return {
            network.path: _converting().read_shapes(self._checkpoint, network.part)
            for network in self._networks
            if network.part != "vae"
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """Family, prediction, licence."""
        scheduler = self._scheduler()
        kind = str(scheduler["prediction_type"]).replace("_", "-")
        zero = " with zero terminal SNR" if scheduler.get("rescale_betas_zero_snr") else ""
        named = f"the file's metadata names its licence: {self._checkpoint.licence}"
        licence = (named,) if self._checkpoint.licence else () if self._licences else (NONE_FOUND,)
        return (f"a model of the family {self._checkpoint.family}, {kind}{zero}", *licence)

    def sources(self) -> dict[str, Path]:
        """The file, and the licences beside it."""
        return {path.name: path for path in (self._checkpoint.path, *self._licences)}

    def pieces(self, digests: Mapping[str, str], vocabulary: Callable[[], Vocabulary]) -> list[Piece]:
        """What the foundation consists of; ``digests``: of the sources; ``vocabulary``: brings CLIP's.

        Raises:
            FailedPreconditionError: PACKAGE_MISSING, PACKAGE_CHANGED.
            InvalidArgumentError: FOUNDATION_INVALID, where a text encoder has another vocabulary than CLIP's.
        """
        words = vocabulary()
        self._check_words(words)
        family = self._checkpoint.family
        native_px = self._options.native_px or self._checkpoint.native_px or family_config(family, "vae")["sample_size"]
        scheduler = self._scheduler()
        index = family_config(family, "model_index.json")
        index["scheduler"] = ["diffusers", scheduler["_class_name"]]
        return [
            *(copy_piece(path.name, path, digests[path.name]) for path in self._licences),
            text_piece("licences/clip-vocabulary/LICENSE", words.licence),
            *self._tokenizers(words),
            text_piece("scheduler/scheduler_config.json", as_json(scheduler)),
            *(piece for network in self._networks for piece in self._network(network, native_px)),
            text_piece(SETTINGS, default_settings(family, native_px, self._options.sampler)),
            text_piece("model_index.json", as_json(index)),
        ]

    def _tokenizers(self, vocabulary: Vocabulary) -> Iterator[Piece]:
        for part in TEXT_ENCODERS[self._checkpoint.family]:
            name = part.replace("text_encoder", "tokenizer")
            config = family_config(self._checkpoint.family, name)
            config["model_max_length"] = self._configs[part]["max_position_embeddings"]
            yield text_piece(f"{name}/vocab.json", vocabulary.vocab)
            yield text_piece(f"{name}/merges.txt", vocabulary.merges)
            yield text_piece(f"{name}/tokenizer_config.json", as_json(config))

    def _network(self, network: _Network, native_px: int) -> Iterator[Piece]:
        config = dict(self._configs[network.part])
        if network.part == "vae":
            config["sample_size"] = native_px
        elif network.part == "unet":
            config["sample_size"] = native_px // 2 ** (len(self._configs["vae"]["block_out_channels"]) - 1)
        yield text_piece(f"{network.part}/config.json", as_json(config))
        size = self._checkpoint.bytes_of(network.prefix)

        def write(path: Path, tell: Tell) -> None:
            _converting().write_weights(self._checkpoint, network.part, path)
            tell(size)

        yield Piece(network.path, size, write)

    def _scheduler(self) -> Config:
        """What the options say, else the keys, else the family."""
        told, checkpoint = self._options, self._checkpoint
        zero = checkpoint.zero_terminal_snr if told.zero_terminal_snr is None else told.zero_terminal_snr
        if zero and told.prediction == "epsilon":
            raise InvalidArgumentError(
                "IMPORT_OPTIONS_INVALID", "a model with zero terminal SNR predicts v: noise alone has no noise to find"
            )
        v_prediction = checkpoint.v_prediction or zero
        kind = told.prediction or ("v_prediction" if v_prediction else "epsilon")
        base = _ZERO_SNR if zero else family_config(checkpoint.family, "scheduler")
        return {**base, "prediction_type": kind}

    def _check_words(self, vocabulary: Vocabulary) -> None:
        for part in TEXT_ENCODERS[self._checkpoint.family]:
            words = self._configs[part]["vocab_size"]
            if words != vocabulary.words:
                raise invalid_foundation(
                    self._checkpoint.path,
                    f"its {part} knows {words} words and CLIP's vocabulary has {vocabulary.words}: name the model's "
                    "diffusers folder instead, which has its own",
                )


def _converting() -> Any:
    """The converters. torch and diffusers come in here."""
    with importing():
        from headshots.diffusion.importing.single_file import converting

    return converting
