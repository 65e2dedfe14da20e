"""Reads from the header of one safetensors file which family it is of, and what its keys tell. Imports no torch."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import safe_open

from headshots.diffusion.foundations.files import invalid_foundation
from headshots.diffusion.foundations.kinds import check_tensors, unsupported
from headshots.diffusion.importing.weights import tensor_names

UNET = "model.diffusion_model."
VAE = "first_stage_model."
# The text encoders of each family, by the part of the diffusers folder that they become.
TEXT_ENCODERS: Mapping[str, Mapping[str, str]] = {
    "sd15": {"text_encoder": "cond_stage_model.transformer."},
    "sdxl": {
        "text_encoder": "conditioner.embedders.0.transformer.",
        "text_encoder_2": "conditioner.embedders.1.model.",
    },
}
_FIRST = f"{UNET}input_blocks.0.0.weight"
_LATENT_CHANNELS = 4
_OTHER_INPUTS = {9: "a UNet for inpainting", 8: "a UNet for editing", 5: "a UNet that takes depth"}
# Keys, or starts of keys, that only relatives of the two families have.
_RELATIVES = {
    "cond_stage_model.model.": "Stable Diffusion 2 in one file (its diffusers folder may be tried)",
    "conditioner.embedders.0.model.": "SDXL's refiner, which only changes pictures",
    "edm_mean": "Playground 2.5, which predicts otherwise",
    "edm_vpred.sigma_max": "a model of EDM's v-prediction",
}
# Bytes of a number of each type that is taken.
_TYPES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4}


@dataclass(frozen=True)
class Checkpoint:
    """A file that holds a whole model under the names of its original code.

    ``family``: ``sd15`` or ``sdxl``; ``shapes`` and ``sizes`` (in bytes): of every tensor, by name; ``licence``: what
    its metadata names, or empty; ``v_prediction``, ``zero_terminal_snr``: whether keys or metadata say so;
    ``native_px``: the side that it was trained for, where its metadata tells, else 0.

    Metadata are those of ModelSpec, which trainers and mergers write.
    """

    path: Path
    family: str
    shapes: Mapping[str, tuple[int, ...]]
    sizes: Mapping[str, int]
    licence: str
    v_prediction: bool
    zero_terminal_snr: bool
    native_px: int

    def names_of(self, prefix: str) -> list[str]:
        """Names of the tensors below ``prefix``."""
        return [name for name in self.shapes if name.startswith(prefix)]

    def bytes_of(self, prefix: str) -> int:
        """Bytes of the tensors below ``prefix``."""
        return sum(self.sizes[name] for name in self.names_of(prefix))


def read_checkpoint(path: Path) -> Checkpoint:
    """Describe the file ``path``.

    Raises:
        InvalidArgumentError: FOUNDATION_UNSUPPORTED (another kind of model, by name), FOUNDATION_INVALID (cut short, or
            without its VAE or a text encoder).
    """
    tensor_names(path)
    with safe_open(path, framework="numpy") as file:
        views = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118  (it is no dictionary)
        shapes = {name: tuple(view.get_shape()) for name, view in views.items()}
        types = {name: str(view.get_dtype()) for name, view in views.items()}
        metadata = dict(file.metadata() or {})
    return describe(path, shapes, types, metadata)


def describe(
    path: Path, shapes: Mapping[str, tuple[int, ...]], types: Mapping[str, str], metadata: Mapping[str, str]
) -> Checkpoint:
    """Describe a file by its header, which may be all of it that is here.

    Args:
        path: what errors call it.
        shapes: of its tensors, by name.
        types: of its tensors, by name, as ``F16``.
        metadata: of the file.

    Raises:
        InvalidArgumentError: as :func:`read_checkpoint`.
    """
    names = shapes.keys()
    check_tensors(path, names)
    for start, kind in _RELATIVES.items():
        if any(name.startswith(start) for name in names):
            raise unsupported(path, kind)
    _check_unet(path, shapes)
    family = "sdxl" if any(name.startswith(TEXT_ENCODERS["sdxl"]["text_encoder_2"]) for name in names) else "sd15"
    _check_parts(path, family, shapes)
    if narrow := sorted(set(types.values()) - set(_TYPES)):
        raise invalid_foundation(path, f"it holds {', '.join(narrow)}; get the file with 16 or 32 bits a number")
    licence = metadata.get("modelspec.license", "")
    v_prediction = "v_pred" in names or metadata.get("modelspec.prediction_type") == "v"
    sizes = {name: math.prod(shape) * _TYPES[types[name]] for name, shape in shapes.items()}
    return Checkpoint(path, family, shapes, sizes, licence, v_prediction, "ztsnr" in names, _native_px(metadata))


def _native_px(metadata: Mapping[str, str]) -> int:
    """The longer side of ``modelspec.resolution``, as ``1024x1024`` or ``1024``."""
    sides = re.fullmatch(r"(\d{2,4})(?:x(\d{2,4}))?", metadata.get("modelspec.resolution", ""))
    return max(int(side) for side in sides.groups() if side) if sides else 0


def _check_unet(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> None:
    if _FIRST not in shapes:
        raise unsupported(path, "no checkpoint of Stable Diffusion: it lacks the tensors of its UNet")
    channels = shapes[_FIRST][1]
    if channels != _LATENT_CHANNELS:
        raise unsupported(path, _OTHER_INPUTS.get(channels, f"a UNet that takes {channels} channels"))


def _check_parts(path: Path, family: str, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """A file may hold the UNet alone: whoever made it left the rest to the program that it was made for."""
    wanted = {"its VAE": VAE, **{f"its {part}": prefix for part, prefix in TEXT_ENCODERS[family].items()}}
    missing = [what for what, prefix in wanted.items() if not any(name.startswith(prefix) for name in shapes)]
    if missing:
        raise invalid_foundation(path, f"it lacks {', '.join(missing)}; get the model's whole file")
