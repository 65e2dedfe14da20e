"""Functions that decoding processes are asked to call."""

from __future__ import annotations

from typing import Any

from headshots.imaging import PhotoLimits, open_photo


def measure(data: bytes, limits: PhotoLimits, unit: str) -> dict[str, Any]:
    """The size of a photo. Raises as `open_photo`."""
    return {"width": open_photo(data, limits).width, "unit": unit}


def burn(data: bytes, limits: PhotoLimits) -> dict[str, Any]:
    """Takes CPU time until it is stopped."""
    while True:
        pass


def fill(data: bytes, limits: PhotoLimits) -> dict[str, Any]:
    """Takes more memory than a process may."""
    return {"bytes": len(bytearray(b"x") * 2**31)}
