"""Checks that all sides generate the same images before anything is timed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

SAME_DB = 40.0
"""PSNR that two sides' images of one request must reach: fp32 arithmetic in another order, then 8 bits."""
OTHER_DB = 35.0
"""PSNR that images of one request with another adapter, or none, must stay below, for the check to mean anything."""


SAME_RELATIVE = 1e-3
"""Relative difference that two sides' predictions of one UNet call may have."""
Array = npt.NDArray[Any]


class ContentError(Exception):
    """Two sides did not paint the same, or the adapters do not show: there is nothing to compare."""


def psnr(one: bytes, other: bytes) -> float:
    """Peak signal-to-noise ratio of two image files of one size, in dB; infinite for equal pixels."""
    error = float(np.mean((_pixels(one) - _pixels(other)) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def check_same(side: str, ours: Sequence[bytes], theirs: Sequence[bytes]) -> float:
    """The worst PSNR of ``side``'s images against ours, in dB; at most 99, which stands for equal pixels.

    Raises:
        ContentError: it painted something else.
    """
    worst = min(psnr(one, other) for one, other in zip(ours, theirs, strict=True))
    if worst < SAME_DB:
        raise ContentError(f"{side} paints other images than ours ({worst:.1f} dB, {SAME_DB:.0f} are needed)")
    return min(round(worst, 1), 99.0)


def check_same_prediction(side: str, ours: Array, theirs: Array) -> float:
    """The relative difference (of norms) of a UNet call's predictions.

    Raises:
        ContentError: it is more than another order of fp32 sums gives.
    """
    found = float(np.linalg.norm(theirs - ours) / np.linalg.norm(ours))
    if not found < SAME_RELATIVE:
        raise ContentError(f"{side} predicts something else than ours ({found:.1e}, {SAME_RELATIVE:.0e} is allowed)")
    return found


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
