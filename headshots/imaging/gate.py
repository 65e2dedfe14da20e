"""Judges whether a generated portrait is fit to be a profile picture, and says why where it is not.

Imports numpy and Pillow only. It needs an analyzer: without one nothing can pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headshots.faces.base import Face, FaceAnalyzer, Pixels
from headshots.imaging import quality
from headshots.imaging.inspection import mean_likeness
from headshots.imaging.quality import Floats


@dataclass(frozen=True, slots=True)
class GateLimits:
    """What a profile picture must reach. The likeness is the analyzer's own limit, see `Gate`."""

    min_face_share: float = 0.2
    """Height of the face over the picture's shorter side: a portrait shows a head, not a figure in a landscape."""
    max_face_outside: float = 0.02
    """Share of the face's box beyond the picture's edges."""
    min_sharpness: float = quality.QualityLimits().min_face_sharpness
    """`quality.face_sharpness` of the face: as for photos that may be trained on."""
    min_second_face: float = 0.25
    """Height of another face over the largest one's, from which the picture shows two people."""


@dataclass(frozen=True, slots=True)
class Shortcoming:
    """Why a portrait is not fit: UPPER_SNAKE reason, and a sentence for a person."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says of one portrait."""

    likeness: float | None
    """Cosine to the mean embedding of the subject's photos; None: there was no face."""
    shortcomings: tuple[Shortcoming, ...]

    @property
    def passed(self) -> bool:
        """Fit to be shown."""
        return not self.shortcomings


class Gate:
    """Judges portraits of one subject."""

    def __init__(self, analyzer: FaceAnalyzer, photos: Sequence[Floats], limits: GateLimits | None = None) -> None:
        """`photos`: embeddings, by `analyzer`, of the largest face of each of the subject's photos; at least one."""
        assert photos
        self._analyzer = analyzer
        self._photos = list(photos)
        self._limits = limits or GateLimits()

    def judge(self, picture_HWC: Pixels) -> Verdict:
        """Every shortcoming, not only the first."""
        faces = self._analyzer.faces(picture_HWC)
        if not faces:
            return Verdict(None, (Shortcoming("NO_FACE", "no face was found"),))
        face, likeness = faces[0], mean_likeness(faces[0].embedding, self._photos)
        found = [*self._crowd(faces), *self._place(face, picture_HWC), *self._sharp(face, picture_HWC)]
        if likeness < self._analyzer.same_person_from:
            needed = self._analyzer.same_person_from
            found.append(Shortcoming("NOT_ALIKE", f"likeness {likeness:.3f}; the same person begins at {needed:.3f}"))
        return Verdict(likeness, tuple(found))

    def _crowd(self, faces: Sequence[Face]) -> list[Shortcoming]:
        others = sum(_height(face) >= self._limits.min_second_face * _height(faces[0]) for face in faces[1:])
        return [Shortcoming("MULTIPLE_FACES", f"{1 + others} faces were found; there should be one")] if others else []

    def _place(self, face: Face, picture_HWC: Pixels) -> list[Shortcoming]:
        height, width = picture_HWC.shape[:2]
        found, share = [], _height(face) / min(height, width)
        if share < self._limits.min_face_share:
            found.append(Shortcoming("FACE_TOO_SMALL", f"the face takes {share:.0%} of the picture's shorter side"))
        outside = 1 - _inside(face, height, width) / max(_area(face), 1e-6)
        if outside > self._limits.max_face_outside:
            found.append(Shortcoming("FACE_CUT_OFF", f"{outside:.0%} of the face is beyond the picture's edge"))
        return found

    def _sharp(self, face: Face, picture_HWC: Pixels) -> list[Shortcoming]:
        measured = quality.face_sharpness(quality.cut(quality.luma(picture_HWC), face.box))
        if measured >= self._limits.min_sharpness:
            return []
        return [
            Shortcoming("BLURRY", f"the face's sharpness is {measured:.3f}; {self._limits.min_sharpness} is needed")
        ]


def _height(face: Face) -> float:
    return face.box[3] - face.box[1]


def _area(face: Face) -> float:
    left, top, right, bottom = face.box
    return (right - left) * (bottom - top)


def _inside(face: Face, height: int, width: int) -> float:
    """The box's area within the picture."""
    left, top, right, bottom = face.box
    return max(min(right, width) - max(left, 0), 0) * max(min(bottom, height) - max(top, 0), 0)
