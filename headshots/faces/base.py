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
Mask = npt.NDArray[np.float32]  # [H, W], the share of each pixel that shows something, 0..1
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


@dataclass(frozen=True, slots=True)
class Parts:
    """Which pixels of a picture show a person's face, hair and clothes. A pixel's shares are 1 at most together."""

    face_HW: Mask
    """The face without hair that falls into it; beards and glasses are of the face."""
    hair_HW: Mask
    clothes_HW: Mask | None = None
    """Everything below the head, the neck included; None where the analyzer does not tell it from the backdrop."""

    @classmethod
    def nowhere(cls, height: int, width: int) -> Parts:
        """Those of a picture without a face."""
        return cls(*(np.zeros((height, width), np.float32) for _ in range(3)))

    @property
    def head_HW(self) -> Mask:
        """Face and hair."""
        return self.face_HW + self.hair_HW


@dataclass(frozen=True, slots=True)
class Trait:
    """Whether a face has something: yes, no, or None where the picture does not tell it for sure."""

    present: bool | None
    score: float  # 0 and more: how clearly it is seen, comparable within one trait only; 0 where nothing was measured


@dataclass(frozen=True, slots=True)
class Traits:
    """What people put on and take off, or let grow and shave."""

    glasses: Trait
    beard: Trait


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

    def parts(self, pixels_HWC: Pixels, face: Face | None = None) -> Parts | None:
        """Which pixels show face and hair; None where this analyzer can tell that of no picture.

        Args:
            pixels_HWC: the picture.
            face: whose, of those that `faces` found in it; the largest by default. An analyzer may tell of everybody
                in the picture. Of a picture without a face, or of one that is turned away too far, all shares are 0.
        """
        ...

    def unsafe(self, pixels_HWC: Pixels) -> float | None:
        """How sure it is that the picture shows nudity, 0..1; None where this analyzer cannot tell."""
        ...

    def years(self, pixels_HWC: Pixels, face: Face) -> float | None:
        """How old a face of the picture looks; None where this analyzer cannot tell."""
        ...

    def traits(self, pixels_HWC: Pixels, face: Face) -> Traits | None:
        """Whether a face of the picture wears glasses and a beard; None where this analyzer can tell that of nobody."""
        ...

    def irregularity(self, pixels_HWC: Pixels, face: Face) -> float | None:
        """How unusually the parts of a face of the picture stand to each other, 0 and more: 99 in 100 true faces have
        1 or less. None where this analyzer cannot tell.
        """
        ...
