"""Defines what is fused, and reads it from what an operator writes: ``lora.safetensors@0.8``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headshots.diffusion.foundations.files import PICKLES
from headshots.diffusion.foundations.foundation import file_digest
from headshots.diffusion.importing.fusing.few_steps import choose
from headshots.diffusion.importing.fusing.lora_file import LoraFile
from headshots.errors import InvalidArgumentError

_MOST = 2.0
_SUFFIX = ".safetensors"


@dataclass(frozen=True)
class FusedLora:
    """A LoRA file that is fused, by its bytes; ``strength``: above 0 and at most 2, 1 is what its maker meant."""

    path: Path
    sha256: str
    strength: float

    @property
    def identity(self) -> str:
        """What tells it from others, wherever it lies and whatever its name is."""
        return f"{self.sha256}@{self.strength!r}"


@dataclass(frozen=True)
class Fusion:
    """Everything that is fused into one foundation.

    Attributes:
        loras: sorted by their digests, as the order in which they are named changes nothing.
        few_steps: which kind of few-step LoRA is among them, a name of
            :data:`headshots.diffusion.importing.fusing.few_steps.KINDS`.
    """

    loras: tuple[FusedLora, ...]
    few_steps: str

    @property
    def identity(self) -> list[str]:
        """What tells imports with it apart."""
        return [*(lora.identity for lora in self.loras), self.few_steps]

    def to_json(self) -> dict[str, Any]:
        """For the command line of a child process."""
        loras = [{"path": str(lora.path), "sha256": lora.sha256, "strength": lora.strength} for lora in self.loras]
        return {"loras": loras, "few_steps": self.few_steps}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Fusion:
        """Inverse of :meth:`to_json`."""
        loras = (FusedLora(Path(lora["path"]), lora["sha256"], lora["strength"]) for lora in value["loras"])
        return cls(tuple(loras), value["few_steps"])


def separated(text: str) -> list[str]:
    """What a variable names: the same as the command's options, with commas between them."""
    return [name for name in (part.strip() for part in text.split(",")) if name]


def parse_loras(named: Sequence[str]) -> tuple[FusedLora, ...]:
    """What ``FILE`` and ``FILE@STRENGTH`` name. Reads each file for its digest.

    Raises:
        InvalidArgumentError: FUSE_NOT_FOUND, FUSE_PICKLED, FUSE_STRENGTH_INVALID, FUSE_TWICE; FUSE_CORRUPT, where it
            has not the name of a safetensors file.
    """
    loras = [_parse(text) for text in named]
    for number, lora in enumerate(loras):
        for other in loras[:number]:
            if other.sha256 == lora.sha256:
                raise InvalidArgumentError(
                    "FUSE_TWICE", f"{lora.path} and {other.path} are the same LoRA; name it once, with one strength"
                )
    return tuple(sorted(loras, key=lambda lora: lora.sha256))


def _parse(text: str) -> FusedLora:
    name, strength = _split(text)
    path = Path(name).expanduser().absolute()
    if path.suffix in PICKLES:
        raise InvalidArgumentError(
            "FUSE_PICKLED",
            f"{path} can run code when it is opened, and is not opened: get the LoRA as a safetensors file",
        )
    if not path.is_file():
        raise InvalidArgumentError("FUSE_NOT_FOUND", f"there is no file {path}; name a LoRA as FILE or FILE@STRENGTH")
    if path.suffix != _SUFFIX:
        raise InvalidArgumentError("FUSE_CORRUPT", f"{path} is no {_SUFFIX} file, and no other LoRA is opened")
    return FusedLora(path, file_digest(path), strength)


def _split(text: str) -> tuple[str, float]:
    """File and strength. An ``@`` within a path is none before a strength."""
    name, at, said = text.rpartition("@")
    if not at or not name.endswith((_SUFFIX, *PICKLES)):
        return text, 1.0
    try:
        strength = float(said)
    except ValueError:
        strength = math.nan
    if not 0 < strength <= _MOST:
        raise InvalidArgumentError(
            "FUSE_STRENGTH_INVALID",
            f"{text}: the strength is {said!r}; a number above 0 and at most {_MOST:g} is needed, and 1 is what the "
            "LoRA's maker meant",
        )
    return name, strength


def read_fusion(named: Sequence[str], few_steps: str) -> Fusion | None:
    """Everything that an operator wants fused; None: nothing. Reads each file for its digest, and its header.

    Args:
        named: ``FILE`` or ``FILE@STRENGTH`` each.
        few_steps: the kind of few-step LoRA among them; empty: what the files' metadata say.

    Raises:
        InvalidArgumentError: as :func:`parse_loras` and :meth:`LoraFile.open`; FUSE_STEPS_UNKNOWN.
    """
    if not named:
        if few_steps:
            raise InvalidArgumentError(
                "FUSE_STEPS_UNKNOWN", f"{few_steps} says how a LoRA is sampled, and none is fused; name it with --fuse"
            )
        return None
    loras = parse_loras(named)
    files = [(lora.path, LoraFile.open(lora.path).file.metadata) for lora in loras]
    return Fusion(loras, choose(few_steps, files))
