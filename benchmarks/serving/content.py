"""Checks that all sides generate the same images before anything is timed."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

SAME_DB = 40.0
"""PSNR that two sides' images of one request must reach: fp32 arithmetic in another order, then 8 bits."""
OTHER_DB = 35.0
"""PSNR that images of one request with another adapter, or none, must stay below, for the check to mean anything."""


class ContentError(Exception):
    """Two sides did not paint the same, or the adapters do not show: there is nothing to compare."""


def psnr(one: bytes, other: bytes) -> float:
    """Peak signal-to-noise ratio of two image files of one size, in dB; infinite for equal pixels."""
    error = float(np.mean((_pixels(one) - _pixels(other)) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def check_same(ours: Sequence[bytes], theirs: Mapping[str, Sequence[bytes]]) -> dict[str, float]:
    """The worst PSNR of each side against ours.

    Raises:
        ContentError: a side painted something else.
    """
    worst = {
        name: min(psnr(one, other) for one, other in zip(ours, painted, strict=True))
        for name, painted in theirs.items()
    }
    for name, found in worst.items():
        if found < SAME_DB:
            raise ContentError(f"{name} paints other images than ours ({found:.1f} dB, {SAME_DB:.0f} are needed)")
    return worst


def check_adapters_show(painted: bytes, with_another: bytes) -> float:
    """PSNR of one request with two adapters.

    Raises:
        ContentError: they look alike, so a side that ignored adapters would go unseen.
    """
    found = psnr(painted, with_another)
    if found > OTHER_DB:
        raise ContentError(f"another adapter changes too little ({found:.1f} dB, at most {OTHER_DB:.0f} are wanted)")
    return found


def _pixels(data: bytes) -> npt.NDArray[np.float64]:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"), np.float64)
