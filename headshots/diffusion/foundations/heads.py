"""Reads how heads stand in a foundation's portraits, as its settings tell it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headshots.diffusion.foundations.files import SETTINGS
from headshots.errors import InvalidArgumentError

# A smaller head is no headshot, and a larger one is no longer whole.
_HEAD_HEIGHTS = (0.1, 1.0)
_EYE_LINES = (0.1, 0.9)


def read_heads(path: Path, settings: Mapping[str, Any]) -> dict[str, float | None]:
    """``head_height`` and ``eye_line`` of a foundation, shares of the height; None: not told.

    Raises:
        InvalidArgumentError: FOUNDATION_SETTINGS_INVALID.
    """
    head_height = _share(path, settings, "head_height", _HEAD_HEIGHTS)
    eye_line = _share(path, settings, "eye_line", _EYE_LINES)
    if eye_line is not None and head_height is None:
        raise _wrong(path, "eye_line is told without head_height; tell both or neither")
    return {"head_height": head_height, "eye_line": eye_line}


def _share(path: Path, settings: Mapping[str, Any], key: str, possible: tuple[float, float]) -> float | None:
    if (share := settings.get(key)) is None:
        return None
    least, most = possible
    if not least <= share <= most:
        raise _wrong(path, f"{key} is {share:g}; {least:g} to {most:g} of the portrait's height is possible")
    return float(share)


def _wrong(path: Path, why: str) -> InvalidArgumentError:
    return InvalidArgumentError("FOUNDATION_SETTINGS_INVALID", f"{path / SETTINGS}: {why}")
