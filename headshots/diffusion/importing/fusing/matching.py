"""Finds for every layer of a LoRA file the layer of the foundation that it changes. No part of a file is left out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headshots.diffusion.importing.fusing.lora_file import LoraFile, LoraLayer, corrupt, shown
from headshots.diffusion.importing.fusing.names import Layer, Layers
from headshots.diffusion.importing.fusing.tensor_files import FloatArray, Tensor
from headshots.errors import InvalidArgumentError

_FAMILIES = {"sd15": "Stable Diffusion 1.5", "sdxl": "SDXL"}
# What trainers write of the model that a LoRA was trained on: kohya's tools, and ModelSpec.
_BASES = ("ss_base_model_version", "modelspec.architecture")
_SDXL = re.compile(r"sdxl|stable-diffusion-xl", re.IGNORECASE)
_SD15 = re.compile(r"^sd_?(v?1|1\.5)|stable-diffusion-v1|sd_v1", re.IGNORECASE)
_CONTEXT = re.compile(r"attn2[._](processor[._])?to_[kv]$")


@dataclass(frozen=True)
class Fold:
    """One layer's LoRA of one file, and the layer that it changes; ``factor``: its scale times the strength."""

    lora: LoraFile
    source: LoraLayer
    target: Layer
    factor: float

    def check(self) -> None:
        """Read every number of it.

        Raises:
            InvalidArgumentError: FUSE_NOT_FINITE, FUSE_CORRUPT.
        """
        self.lora.check(self.source, self.factor)

    def delta(self) -> FloatArray:
        """What is added to the weight, in its shape.

        Raises:
            InvalidArgumentError: FUSE_NOT_FINITE.
        """
        return self.lora.delta(self.source, self.factor, self.target.shape)


def match(lora: LoraFile, strength: float, layers: Layers, family: str) -> list[Fold]:
    """What ``lora`` changes of a foundation.

    Raises:
        InvalidArgumentError: FUSE_OTHER_FAMILY, FUSE_UNKNOWN_LAYERS, FUSE_SHAPE_MISMATCH, FUSE_CORRUPT.
    """
    _check_family(lora, layers, family)
    folds: dict[tuple[str, str], Fold] = {}
    unknown = []
    for name, source in lora.layers.items():
        if (target := layers.find(name)) is None:
            unknown.append(name)
            continue
        if (target.file, target.tensor) in folds:
            raise corrupt(lora.path, f"{target.part} {target.module} is there twice, under two names; keep one of them")
        _check_shape(lora, source, target)
        factor = strength * lora.scale(source, target.part, target.module)
        folds[target.file, target.tensor] = Fold(lora, source, target, factor)
    if unknown:
        raise InvalidArgumentError(
            "FUSE_UNKNOWN_LAYERS",
            f"{lora.path}: {len(unknown)} of its {len(lora.layers)} layers are none of this foundation "
            f"({shown(unknown)}); it was made for another model, or names them in a way that is not known here",
        )
    return list(folds.values())


def by_tensor(folds: Sequence[Fold]) -> dict[str, dict[str, list[Fold]]]:
    """Folds by the file that they change, and by the tensor in it."""
    files: dict[str, dict[str, list[Fold]]] = {}
    for fold in folds:
        files.setdefault(fold.target.file, {}).setdefault(fold.target.tensor, []).append(fold)
    return files


def _check_family(lora: LoraFile, layers: Layers, family: str) -> None:
    """By what the file says of itself, then by the width of the text that its attention takes."""
    said = next((lora.file.metadata[key] for key in _BASES if key in lora.file.metadata), "")
    told = "sdxl" if _SDXL.search(said) else "sd15" if _SD15.search(said) else family
    if told != family:
        raise _other_family(lora, f"its metadata say that it is for {_FAMILIES[told]} ({said})", family)
    widths = {
        layer.roles["down"].shape[1]
        for name, layer in lora.layers.items()
        if _CONTEXT.search(name) and layer.roles["down"].shape[1] != layers.context_width
    }
    if widths:
        why = f"its attention takes text of width {min(widths)}, and this foundation's of {layers.context_width}"
        raise _other_family(lora, why, family)


def _other_family(lora: LoraFile, why: str, family: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        "FUSE_OTHER_FAMILY",
        f"{lora.path} was made for another kind of model: {why}; get the file that is made for {_FAMILIES[family]}",
    )


def _check_shape(lora: LoraFile, source: LoraLayer, target: Layer) -> None:
    """Matrices and kernels must multiply to the weight's shape."""
    down, up, mid = (_shape(source.roles, role) for role in ("down", "up", "mid"))
    rank, outputs, inputs = down[0], target.shape[0], target.shape[1:]
    kernel = target.shape[2:]
    if mid:
        fits = down == (rank, inputs[0], *([1] * (len(down) - 2))) and mid == (up[1], rank, *kernel)
    else:
        fits = math.prod(down[1:]) == math.prod(inputs) and down[1] == inputs[0] and up[1] == rank
    if not fits or up[0] != outputs or math.prod(up[2:]) != 1:
        raise InvalidArgumentError(
            "FUSE_SHAPE_MISMATCH",
            f"{lora.path}: {source.name[:120]} has down {list(down)} and up {list(up)}, which make no weight "
            f"{list(target.shape)} of {target.part} {target.module}; it was made for another model",
        )


def _shape(roles: Mapping[str, Tensor], role: str) -> tuple[int, ...]:
    return roles[role].shape if role in roles else ()
