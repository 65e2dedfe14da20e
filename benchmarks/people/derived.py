"""Makes selfies of one photo of a person: good ones, and one for each fault that an inspection has to find."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from benchmarks.people.turning import in_sunglasses, turned
from headshots.faces import FaceAnalyzer
from headshots.imaging.quality import Floats

_FAR_PX = 40
_SMALL = (1200, 900)


@dataclass(frozen=True, slots=True)
class Head:
    """Where the largest face of a photo is, in pixels."""

    photo: Image.Image
    left: float
    top: float
    right: float
    bottom: float
    landmarks: Floats
    """As `Face.landmarks`."""

    @classmethod
    def find(cls, photo: Image.Image, analyzer: FaceAnalyzer) -> Head:
        """As the analyzer tells; the photo has a face."""
        face = analyzer.faces(np.asarray(photo))[0]
        return cls(photo, *face.box, face.landmarks)

    def around(self, sides: float, of: Image.Image | None = None, shift: float = 0.0) -> Image.Image:
        """The face with so many of its heights on each side, as far as the photo goes, cut from `of` (the photo)."""
        side = self.bottom - self.top
        middle = ((self.left + self.right) / 2 + shift * side, (self.top + self.bottom) / 2)
        reach = side * (0.5 + sides)
        edges = [middle[0] - reach, middle[1] - reach, middle[0] + reach, middle[1] + reach]
        limits = [*self.photo.size, *self.photo.size]
        box = [round(min(max(edge, 0), limit)) for edge, limit in zip(edges, limits, strict=True)]
        return (of or self.photo).crop((box[0], box[1], box[2], box[3]))


def good_ones(head: Head) -> list[Image.Image]:
    """Each another crop, turn or light."""
    photo = head.photo
    middle = ((head.left + head.right) / 2, (head.top + head.bottom) / 2)
    turned = [photo.rotate(angle, Image.Resampling.BICUBIC, center=middle) for angle in (12, -12)]
    return [
        photo,
        head.around(0.8),
        *(head.around(0.6, each) for each in turned),
        ImageOps.mirror(head.around(1.0, shift=0.3)),
        ImageEnhance.Brightness(head.around(0.9, shift=-0.3)).enhance(0.6),
        ImageEnhance.Color(head.around(0.5, shift=-0.15)).enhance(0),
        ImageEnhance.Brightness(head.around(0.4)).enhance(1.25),
    ]


def bad_ones(head: Head, stranger: Image.Image) -> dict[str, Image.Image]:
    """Each by the reason that has to be found, and what else tells it from others of that reason.

    Args:
        head: of a photo that is good.
        stranger: a good photo of somebody else, of the head.
    """
    photo, close = head.photo, head.around(0.6)
    wide, high = head.right - head.left, head.bottom - head.top
    together = Image.new("RGB", (2 * close.width, close.height))
    together.paste(close, (0, 0))
    together.paste(stranger.resize(close.size), (close.width, 0))
    meadow = Image.new("RGB", _SMALL, (90, 120, 90))
    scale = _FAR_PX / high
    meadow.paste(photo.resize((round(photo.width * scale), round(photo.height * scale))), (600, 500))
    return {
        "DIFFERENT_PERSON": stranger,
        "MULTIPLE_FACES": together,
        "BLURRY": close.filter(ImageFilter.GaussianBlur(high / 15)),
        "TOO_DARK": ImageEnhance.Brightness(close).enhance(0.12),
        "FACE_CUT_OFF": photo.crop((round(head.left + 0.4 * wide), 0, *photo.size)),
        "FACE_CUT_OFF below": photo.crop((0, 0, photo.width, round(head.bottom - 0.4 * high))),
        "FACE_CUT_OFF a little left": photo.crop((round(head.left + 0.2 * wide), 0, *photo.size)),
        "FACE_CUT_OFF a little right": photo.crop((0, 0, round(head.right - 0.2 * wide), photo.height)),
        "NO_FACE": photo.crop((0, round(head.bottom + 0.1 * high), *photo.size)),
        "FACE_TOO_SMALL": meadow,
        "FACE_TURNED": turned(photo, head.landmarks, 65),
        "FACE_TURNED left": turned(photo, head.landmarks, -70),
        "EYES_HIDDEN": head.around(0.6, in_sunglasses(photo, head.landmarks)),
        "OVEREXPOSED": ImageEnhance.Brightness(close).enhance(4),
    }
