"""Draws photos for inspections, each with exactly the fault that a test wants."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageFilter

from tests.support.images.faces import draw_head

SIDE_PX = 256
HEAD = (70, 60, 186, 196)


def backdrop(number: int, size: tuple[int, int] = (SIDE_PX, SIDE_PX)) -> Image.Image:
    """A sharp, well lit picture, another for each number, without the pure colours of `tests.support.images.faces`."""
    rng = np.random.default_rng([number, 0xB0])
    coarse_HWC = rng.integers(90, 210, (6, 6, 3), dtype=np.uint8)
    picture = Image.fromarray(coarse_HWC).resize(size, Image.Resampling.NEAREST)
    grain_HWC = rng.integers(-40, 40, (size[1], size[0], 1))
    return Image.fromarray(np.clip(np.asarray(picture) + grain_HWC, 80, 220).astype(np.uint8))


def portrait(number: int, *people: str, box: tuple[int, int, int, int] = HEAD) -> Image.Image:
    """A photo with these people side by side in the box; without people, an empty room."""
    picture = backdrop(number)
    width = (box[2] - box[0]) // max(len(people), 1)
    turn = np.random.default_rng([number, 0x70]).uniform(-1, 1)
    for place, person in enumerate(people):
        left = box[0] + place * width
        draw_head(picture, person, (left, box[1], left + width - 4, box[3]), turn=float(turn))
    return picture


def packed(picture: Image.Image, format_name: str = "PNG") -> bytes:
    """The picture as a file; PNG by default, which keeps colours pure."""
    out = io.BytesIO()
    picture.save(out, format_name)
    return out.getvalue()


def lit(gain: float) -> Callable[[Image.Image], Image.Image]:
    """Multiplies a photo's brightness by `gain`."""
    return lambda picture: Image.fromarray(
        np.clip(np.asarray(picture, dtype=np.float32) * gain, 0, 255).astype(np.uint8)
    )


def blurred(picture: Image.Image) -> Image.Image:
    """The photo blurred as by a shaking hand."""
    return picture.filter(ImageFilter.GaussianBlur(SIDE_PX * 0.025))


# Kept: to draw and pack one takes longer than all that most tests do with it.
@functools.cache
def photo(number: int, *people: str, box: tuple[int, int, int, int] = HEAD, gain: float = 1.0) -> bytes:
    """The file of a portrait, its brightness multiplied by `gain`."""
    picture = portrait(number, *people, box=box)
    return packed(picture if gain == 1.0 else lit(gain)(picture))


@functools.cache
def blurred_photo(number: int) -> bytes:
    """The file of an empty room, blurred."""
    return packed(blurred(portrait(number)))


def files(numbers: Sequence[int], *people: str) -> list[bytes]:
    """Files of good photos of these people."""
    return [photo(number, *people) for number in numbers]
