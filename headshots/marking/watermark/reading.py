"""Reads the watermark of an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headshots.marking.watermark.pattern import CARRIERS, soft_bits
from headshots.marking.watermark.payload import agreement, decode
from headshots.marking.watermark.searching import Placement, find_placements, waves_at
from headshots.marking.watermark.whitening import FloatArray, whiten

_SMALLEST_PX = 48
_LEAST_COHERENCE = 5.8
_LEAST_AGREEMENT = 0.52
_LOUDEST = 0.7


@dataclass(frozen=True)
class Watermark:
    """What was read.

    Attributes:
        mark_id: the 8 bytes that were written.
        confidence: how well what was read fits an undamaged watermark of this id, 0.52 to 1. Less is not reported:
            noise that decodes to something reaches some 0.45, and its checksum fits once in 65,536 times.
    """

    mark_id: bytes
    confidence: float


def read(pixels: npt.NDArray[np.uint8]) -> Watermark | None:
    """The watermark of an image, uint8 [height, width, 3]; None where there is none or it cannot be read."""
    if min(pixels.shape[:2]) < _SMALLEST_PX:
        return None
    white = whiten(pixels)
    found = (_read_at(white, placement) for placement in find_placements(white))
    return next((watermark for watermark in found if watermark is not None), None)


def _read_at(white: FloatArray, placement: Placement) -> Watermark | None:
    if placement.coherence < _LEAST_COHERENCE:
        return None
    carriers = waves_at(white, placement)[CARRIERS]
    # Each carrier has a vote: those that the picture makes loud are no surer than the others.
    bits = soft_bits(carriers / np.maximum(np.abs(carriers), _LOUDEST * np.abs(carriers).mean()))
    mark_id = decode(bits)
    if mark_id is None or (confidence := agreement(mark_id, bits)) < _LEAST_AGREEMENT:
        return None
    return Watermark(mark_id, confidence)
