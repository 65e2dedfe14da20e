"""Reads what LoRA files were fused into a foundation, and tells its changed files by what they were made of.

Fusing is arithmetic, and machines round it differently: two that fuse the same file into the same model get weights
that differ in a last bit. They must be the same foundation, or an adapter that was trained on one machine would be
refused by the other. So a changed file counts in the digest as the original's digest with each LoRA's and its strength;
unless it is no longer what fusing wrote, and then it counts as what it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headshots.diffusion.foundations.files import invalid_foundation

FUSION = "fusion.json"
"""Not in a foundation's digest itself."""
_FORMAT = 1


@dataclass(frozen=True)
class FusedFile:
    """A file of weights that was changed.

    Attributes:
        sha256: of what fusing wrote.
        of: what the file counted as before.
        loras: ``sha256@strength`` of each LoRA that changed it.
    """

    sha256: str
    of: str
    loras: tuple[str, ...]

    @property
    def identity(self) -> str:
        """What it counts as: hex, like a file's SHA-256."""
        return hashlib.sha256(json.dumps([_FORMAT, self.of, sorted(self.loras)]).encode()).hexdigest()


@dataclass(frozen=True)
class FusionRecord:
    """Everything that was fused into a foundation.

    Attributes:
        loras: what an operator wants to read of each: name, sha256, strength.
        few_steps: the kind of few-step LoRA among them, or ``none``; empty where nothing was fused.
        files: the changed files by their paths within the folder.
    """

    loras: tuple[Mapping[str, Any], ...] = ()
    few_steps: str = ""
    files: Mapping[str, FusedFile] | None = None

    def identity(self, relative: str, sha256: str) -> str:
        """What a file with the SHA-256 counts as in the foundation's digest."""
        fused = (self.files or {}).get(relative)
        return fused.identity if fused is not None and fused.sha256 == sha256 else sha256

    def to_json(self) -> str:
        """The file's text."""
        files = {
            name: {"sha256": file.sha256, "of": file.of, "loras": list(file.loras)}
            for name, file in sorted((self.files or {}).items())
        }
        value = {"format": _FORMAT, "loras": list(self.loras), "few_steps": self.few_steps, "files": files}
        return json.dumps(value, indent=2) + "\n"


def read_fusions(folder: Path) -> FusionRecord:
    """What was fused into the foundation ``folder``; nothing, where it has no such file.

    Raises:
        InvalidArgumentError: FOUNDATION_INVALID.
    """
    path = folder / FUSION
    if not path.is_file():
        return FusionRecord()
    try:
        value = json.loads(path.read_text("utf-8"))
        if value["format"] != _FORMAT:
            raise ValueError(f"its format is {value['format']}, and {_FORMAT} is known")
        loras = tuple({key: each[key] for key in ("name", "sha256", "strength")} for each in value["loras"])
        files = {str(name): _file(each) for name, each in value["files"].items()}
        return FusionRecord(loras, str(value["few_steps"]), files)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise invalid_foundation(path, f"cannot be read ({error!r}); import the foundation again") from error


def _file(value: Mapping[str, Any]) -> FusedFile:
    return FusedFile(str(value["sha256"]), str(value["of"]), tuple(str(lora) for lora in value["loras"]))
