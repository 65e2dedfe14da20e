"""Paints over a picture as a whole, whatever its size: where it lies within the image that is painted.

A picture that was cut to a frame has other sides than the foundation paints. Scaled to cover the image it would be cut
once more, and scaled back nothing of it would be as it was. So it is scaled to lie within the image, beside it lies its
mirror image, which nobody gets to see, and of what is painted only its own place is taken.

Shapes: H, W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Inset:
    """Where a picture of ``own`` (width, height) lies within an image of ``painted``."""

    own: tuple[int, int]
    painted: tuple[int, int]

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom within the image: as large as fits, in the middle."""
        width, height = self.painted
        scale = min(width / self.own[0], height / self.own[1])
        inner_width, inner_height = (
            min(side, max(1, round(scale * own))) for side, own in zip(self.painted, self.own, strict=True)
        )
        left, top = (width - inner_width) // 2, (height - inner_height) // 2
        return left, top, left + inner_width, top + inner_height

    def spread(self, picture: Image.Image) -> Bytes:
        """[H, W, ...] of the image's size: the picture in its place, mirrored at its edges beyond that."""
        left, top, right, bottom = self.box
        inner = np.asarray(_resized(picture, (right - left, bottom - top)))
        beside = ((top, self.painted[1] - bottom), (left, self.painted[0] - right))
        return np.pad(inner, (*beside, *((0, 0),) * (inner.ndim - 2)), mode="symmetric")

    def taken(self, painted_HWC: Bytes) -> Bytes:
        """What was painted in the picture's place, in the picture's own size."""
        left, top, right, bottom = self.box
        return np.asarray(_resized(Image.fromarray(painted_HWC[top:bottom, left:right]), self.own))


def _resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    return picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS)
