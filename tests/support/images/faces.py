"""A face analyzer that implements the real Protocol and sees what a test has drawn: no network, no weights.

It finds coloured squares: the hue of a face tells who it is, and `faces` answers what `head` of this module drew.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from headshots.faces import Face, Parts, Pixels, Traits

# Pure colours that no backdrop of `selfie` has: the fraction of each tells the person.
PEOPLE = {"ada": (255, 0, 0), "bob": (0, 255, 0), "eve": (0, 0, 255)}


def draw_head(picture: Image.Image, person: str, box: tuple[int, int, int, int], turn: float = 0.0) -> None:
    """Draws a head that `ColourAnalyzer` finds; `turn` -1 to 1 moves the nose between the eyes."""
    left, top, right, bottom = box
    draw = ImageDraw.Draw(picture)
    draw.rectangle(box, fill=PEOPLE[person])
    # Some detail, or the face would count as blurred; the nose's column tells how it is turned.
    for y in range(top + 4, bottom - 4, 8):
        draw.line((left + 4, y, right - 4, y), fill=(250, 250, 250), width=2)
    for x in (left + 0.3 * (right - left), right - 0.3 * (right - left)):
        _draw_eye(draw, round(x), round(top + 0.3 * (bottom - top)), (right - left) // 12)
    nose_x = round((left + right) / 2 + turn * (right - left) / 4)
    draw.rectangle((nose_x - 1, top + 8, nose_x + 1, bottom - 8), fill=(10, 10, 10))


def _draw_eye(draw: ImageDraw.ImageDraw, x: int, y: int, half: int) -> None:
    """Open: white, dark and white from side to side."""
    draw.rectangle((x - half, y - half // 2, x + half, y + half // 2), fill=(250, 250, 250))
    draw.rectangle((x - half // 2, y - half // 2, x + half // 2, y + half // 2), fill=(10, 10, 10))


class ColourAnalyzer:
    """A `FaceAnalyzer` of `draw_head`'s heads. Embeddings: near one axis a person; `calls` counts the pictures seen."""

    name = "colour-1"
    same_person_from = 0.6

    def __init__(self) -> None:
        self.calls = 0

    def faces(self, pixels_HWC: Pixels) -> list[Face]:
        self.calls += 1
        found = [face for number in range(len(PEOPLE)) for face in _face(pixels_HWC, number)]
        return sorted(found, key=lambda face: face.box[1] - face.box[3])

    def parts(self, pixels_HWC: Pixels, face: Face | None = None) -> Parts | None:
        return None

    def unsafe(self, pixels_HWC: Pixels) -> float | None:
        return None

    def years(self, pixels_HWC: Pixels, face: Face) -> float | None:
        return None

    def traits(self, pixels_HWC: Pixels, face: Face) -> Traits | None:
        return None

    def irregularity(self, pixels_HWC: Pixels, face: Face) -> float | None:
        return None


class PartsAnalyzer(ColourAnalyzer):
    """Tells parts by the head's box: the face, hair as high as a quarter of it above, clothes below."""

    def parts(self, pixels_HWC: Pixels, face: Face | None = None) -> Parts:
        found = Parts.nowhere(*pixels_HWC.shape[:2])
        assert found.clothes_HW is not None
        for head in [face] if face is not None else super().faces(pixels_HWC)[:1]:
            left, top, right, bottom = (max(round(edge), 0) for edge in head.box)
            found.face_HW[top:bottom, left:right] = 1
            found.hair_HW[max(top - (bottom - top) // 4, 0) : top, left:right] = 1
            found.clothes_HW[bottom:, max(left - 20, 0) : right + 20] = 1
        return found


class YoungAnalyzer(ColourAnalyzer):
    """To it everybody is a child."""

    LOOKS = 15.0

    def years(self, pixels_HWC: Pixels, face: Face) -> float:
        return self.LOOKS


def _face(pixels_HWC: Pixels, number: int) -> list[Face]:
    own, others = pixels_HWC[..., number].astype(int), np.delete(pixels_HWC, number, axis=2).max(axis=2).astype(int)
    mask_HW = (own > 200) & (others < 70)
    if mask_HW.sum() < 60:
        return []
    rows, columns = np.nonzero(mask_HW.any(axis=1))[0], np.nonzero(mask_HW.any(axis=0))[0]
    left, top, right, bottom = (float(edge) for edge in (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    # A head that ends at the picture's edge is taken for half of one: what is cut off is not in the picture.
    width = mask_HW.shape[1]
    if left == 0:
        left -= right
    if right == width:
        right += right - left
    embedding = np.zeros(len(PEOPLE), dtype=np.float32)
    embedding[number] = 1.0
    return [Face((left, top, right, bottom), _landmarks(pixels_HWC, left, top, right, bottom), embedding, 0.99)]


def _landmarks(pixels_HWC: Pixels, left: float, top: float, right: float, bottom: float) -> npt.NDArray[np.float32]:
    width, height = right - left, bottom - top
    eye_y = top + 0.3 * height
    # Narrow heads look ahead too.
    mouth_y = eye_y + min(0.4 * height, 0.5 * width)
    dark = pixels_HWC[int(top + height / 2), max(int(left), 0) : int(right)].max(axis=1) < 60
    nose_x = max(left, 0.0) + (float(np.nonzero(dark)[0].mean()) if dark.any() else width / 2)
    points = [
        (left + 0.3 * width, eye_y),
        (right - 0.3 * width, eye_y),
        (nose_x, top + height / 2),
        (left + 0.35 * width, mouth_y),
        (right - 0.35 * width, mouth_y),
    ]
    return np.array(points, dtype=np.float32)


class SmallIsUnsafe(ColourAnalyzer):
    """Sees nudity where a head is lower than `LEAST_PX`; `looks` counts the pictures that it was asked about."""

    LEAST_PX = 40.0

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def unsafe(self, pixels_HWC: Pixels) -> float:
        self.looks += 1
        return 0.95 if any(face.height_px < self.LEAST_PX for face in super().faces(pixels_HWC)) else 0.05
