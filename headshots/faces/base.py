"""Defines what every portrait analyzer answers, and their Protocol. Imports numpy only.

Shapes: H, W a picture's height and width in pixels, D the width of an analyzer's embeddings.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]  # [H, W, 3], sRGB, upright
LANDMARKS = ("left eye", "right eye", "nose tip", "left mouth corner", "right mouth corner")


class Part(IntEnum):
    """What a pixel of a parsed portrait shows."""

    BACKDROP = 0
    CLOTHES = 1
    FACE = 2
    HAIR = 3


@dataclass(frozen=True, slots=True)
class Face:
    """One face in a picture; left and right are the picture's, coordinates are pixels from its top left corner."""

    box: tuple[float, float, float, float]  # left, top, right, bottom; may reach beyond the picture when cut off
    landmarks: npt.NDArray[np.float32]  # [5, 2], x and y, in the order of LANDMARKS
    embedding: npt.NDArray[np.float32]  # [D], unit length; compare by dot product, only within one analyzer
    score: float  # 0..1: how sure the analyzer is that this is a face

    @property
    def height_px(self) -> float:
        """Of the box."""
        return self.box[3] - self.box[1]


class FaceAnalyzer(Protocol):
    """Finds faces and tells people apart. Implementations may be called from several threads."""

    @property
    def name(self) -> str:
        """Name and version, as results report it: embeddings of two names are not comparable."""
        ...

    @property
    def same_person_from(self) -> float:
        """The cosine from which two faces count as one person, -1..1."""
        ...

    def faces(self, pixels_HWC: Pixels) -> list[Face]:
        """Every face in the picture, largest first; empty where there is none."""
        ...

    def parts(self, pixels_HWC: Pixels) -> npt.NDArray[np.uint8] | None:
        """What each pixel shows, [H, W] of `Part` values; None where this analyzer cannot tell."""
        ...

    def unsafe(self, pixels_HWC: Pixels) -> float | None:
        """How sure it is that the picture shows nudity, 0..1; None where this analyzer cannot tell."""
        ...

    def years(self, pixels_HWC: Pixels, face: Face) -> float | None:
        """How old a face of the picture looks; None where this analyzer cannot tell."""
        ...
