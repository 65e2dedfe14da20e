"""Reads a LoRA file that is to be fused: its layers, their scales, and what it tells of itself.

R is a LoRA's rank, I a layer's inputs, O its outputs, K the cells of a convolution's kernel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError

from headshots.diffusion.importing.fusing.names import is_of_other_model, other_method, split_key
from headshots.diffusion.importing.fusing.tensor_files import FloatArray, Tensor, TensorFile
from headshots.diffusion.lora.scaling import PeftScaling
from headshots.errors import InvalidAdapterError, InvalidArgumentError

_SHOWN, _NAME_SHOWN = 4, 120


@dataclass(frozen=True)
class LoraLayer:
    """One layer of a file: which tensor is its down [R, I, …], its up [O, R, …], its mid [R, R, …] and its alpha."""

    name: str
    roles: Mapping[str, Tensor]

    @property
    def rank(self) -> int:
        """R."""
        return self.roles["down"].shape[0]


@dataclass(frozen=True)
class LoraFile:
    """A whole LoRA file of a kind that can be fused."""

    file: TensorFile
    layers: Mapping[str, LoraLayer]
    """By the names that the file gives them."""

    @classmethod
    def open(cls, path: Path) -> LoraFile:
        """Read the header.

        Raises:
            InvalidArgumentError: FUSE_CORRUPT, FUSE_UNSUPPORTED (another method than LoRA, by name),
                FUSE_OTHER_FAMILY (of a diffusion transformer).
        """
        try:
            file = TensorFile.open(path)
        except SafetensorError as error:
            raise corrupt(
                path, f"no whole safetensors file ({error}), as a download that broke off or a pickle; get it again"
            ) from error
        roles: dict[str, dict[str, Tensor]] = {}
        unknown = []
        for tensor in file.tensors:
            if (found := _split(path, tensor.name)) is None:
                unknown.append(tensor.name)
            elif found[1] in roles.setdefault(found[0], {}):
                raise corrupt(path, f"{_short(found[0])} is there twice, under two names; keep one of them")
            else:
                roles[found[0]][found[1]] = tensor
        if unknown:
            raise InvalidArgumentError(
                "FUSE_UNSUPPORTED",
                f"{path}: {len(unknown)} of its tensors are no part of a LoRA ({shown(unknown)}); a whole model is "
                "named as the foundation, not fused",
            )
        if not roles:
            raise corrupt(path, "it holds no tensors")
        return cls(file, {name: _layer(path, name, found) for name, found in roles.items()})

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.file.path

    def scale(self, layer: LoraLayer, part: str, module: str) -> float:
        """By what up times down is multiplied: alpha / R, or what PEFT's metadata say of ``module``, or 1.

        Args:
            layer: one of the file's.
            part: the network that it changes, as ``unet``.
            module: the path of the layer that it changes.

        Raises:
            InvalidArgumentError: FUSE_CORRUPT.
        """
        if (alpha := layer.roles.get("alpha")) is None:
            try:
                return PeftScaling.from_metadata(self.file.metadata, part).scale(module, layer.rank)
            except InvalidAdapterError as error:
                raise corrupt(self.path, error.message) from error
        value = self._read(alpha)
        if value.size != 1:
            raise corrupt(self.path, f"{_short(layer.name)} has an alpha of shape {list(value.shape)}")
        return float(value.reshape(())) / layer.rank

    def check(self, layer: LoraLayer, scale: float) -> None:
        """Read every number of a layer.

        Raises:
            InvalidArgumentError: FUSE_NOT_FINITE, FUSE_CORRUPT.
        """
        arrays = [self._read(tensor) for tensor in layer.roles.values()]
        if not (np.isfinite(scale) and all(np.isfinite(array).all() for array in arrays)):
            raise not_finite(self.path, layer.name)

    def delta(self, layer: LoraLayer, scale: float, shape: tuple[int, ...]) -> FloatArray:
        """What the layer adds to a weight of ``shape``, [O, I] or [O, I, height, width].

        Raises:
            InvalidArgumentError: FUSE_NOT_FINITE.
        """
        down, up = self._read(layer.roles["down"]), self._read(layer.roles["up"])
        # What overflows is infinite after it, and told.
        with np.errstate(over="ignore", invalid="ignore"):
            up_OR = up.reshape(up.shape[0], -1) * np.float32(scale)
            if (mid := layer.roles.get("mid")) is not None:
                down = _with_kernel(self._read(mid), down)
            made = (up_OR @ down.reshape(down.shape[0], -1)).reshape(shape).astype(np.float32, copy=False)
        if not np.isfinite(made).all():
            raise not_finite(self.path, layer.name)
        return made

    def _read(self, tensor: Tensor) -> FloatArray:
        try:
            return self.file.read(tensor)
        except KeyError as error:
            raise corrupt(
                self.path, f"{_short(tensor.name)} holds {tensor.dtype}; numbers of at least 16 bits are needed"
            ) from error
        except ValueError as error:
            raise corrupt(self.path, f"{_short(tensor.name)} has a shape that no layer has: {error}") from error


def _with_kernel(mid_PRHW: FloatArray, down: FloatArray) -> FloatArray:
    """[P, I, H, W]: LoCon's form for kernels, a 1 x 1 down and a mid that has the kernel (LyCORIS, ``locon.py``)."""
    down_RI = down.reshape(down.shape[0], -1)
    made: FloatArray = np.tensordot(mid_PRHW, down_RI, axes=(1, 0)).transpose(0, 3, 1, 2)
    return made


def corrupt(path: Path, why: str) -> InvalidArgumentError:
    """FUSE_CORRUPT."""
    return InvalidArgumentError("FUSE_CORRUPT", f"{path}: {why}")


def not_finite(path: Path, name: str) -> InvalidArgumentError:
    """FUSE_NOT_FINITE."""
    return InvalidArgumentError(
        "FUSE_NOT_FINITE",
        f"{path}: {_short(name)} holds NaN, infinity or more than a weight can; get the file again, or fuse it with a "
        "lower strength",
    )


def shown(names: list[str]) -> str:
    """Some of the names."""
    more = " …" if len(names) > _SHOWN else ""
    return ", ".join(_short(name) for name in sorted(names)[:_SHOWN]) + more


def _short(name: str) -> str:
    return name[:_NAME_SHOWN]


def _split(path: Path, key: str) -> tuple[str, str] | None:
    if (method := other_method(key)) is not None:
        raise InvalidArgumentError(
            "FUSE_UNSUPPORTED",
            f"{path} is {method} ({_short(key)}): plain LoRA is fused, of linear layers and convolutions; convert it "
            "with the tool that made it, or merge it into the model there and import that",
        )
    if is_of_other_model(key):
        raise InvalidArgumentError(
            "FUSE_OTHER_FAMILY",
            f"{path} is a LoRA of a diffusion transformer, as FLUX or Stable Diffusion 3 ({_short(key)}); take the one "
            "for Stable Diffusion 1.5 or SDXL",
        )
    return split_key(key)


def _layer(path: Path, name: str, roles: Mapping[str, Tensor]) -> LoraLayer:
    missing = [f"{role} ({letter})" for role, letter in (("down", "A"), ("up", "B")) if role not in roles]
    if missing:
        raise corrupt(path, f"{_short(name)} lacks its {' and '.join(missing)} matrix; the file is cut")
    down, up = roles["down"], roles["up"]
    if min(len(down.shape), len(up.shape)) < 2 or 0 in (*down.shape, *up.shape):
        raise corrupt(path, f"{_short(name)} has matrices of shapes {list(down.shape)} and {list(up.shape)}")
    return LoraLayer(name, roles)
