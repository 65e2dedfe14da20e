"""Turns a decoded picture upright and scales it down, a strip at a time, so that only the picture itself is in memory.

Whatever is done to a pixel alone (colour, alpha) can be done in strips, and so can the first of the two passes of a
resampling, which works along the rows. The result has the same bytes as that of the whole picture at once, but for
pictures more than twice as high as wide: for those Pillow would take the columns first, and some values differ by one.
"""

from __future__ import annotations

import logging
import math
import struct
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from PIL import ExifTags, Image

_LOG = logging.getLogger(__name__)
_STRIP_PIXELS = 2**18
"""A strip's pixels, some: each takes up to 30 bytes while it is converted."""
_REDUCING_GAP = 2.0
"""Whole pixels are averaged before the filter, down to so many times the target, as `Image.thumbnail` does."""
_LANCZOS = Image.Resampling.LANCZOS
_METHODS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each EXIF orientation."""
_LYING = (5, 6, 7, 8)
"""Orientations in which the rows of the upright picture are the columns of the stored one."""
_FROM_THE_END = (3, 4, 7, 8)
"""Orientations in which the upright picture's first row is the stored one's last row or column."""


class Picture(Protocol):
    """What strips are cut from: a Pillow image, or one that lies in a decoder's memory."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        ...

    @property
    def mode(self) -> str:
        """Pillow's name of the kind of pixels."""
        ...

    @property
    def info(self) -> dict[str | tuple[int, int], Any]:
        """Pillow's names of what the file says beside the pixels: `exif`, `icc_profile`, `transparency`."""
        ...

    def load(self) -> object:
        """Decodes."""
        ...

    def getexif(self) -> Image.Exif:
        """EXIF, which says how the picture is turned."""
        ...

    def crop(self, box: tuple[int, int, int, int]) -> Image.Image:
        """A copy of the box, with the same info."""
        ...

    def close(self) -> None:
        """Frees the pixels."""
        ...


def scaled(image: Picture, max_side_px: int, to_rgb: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """The upright picture as RGB, its longer side at most `max_side_px`.

    Args:
        image: a decoded picture; closed where it is scaled, so that its pixels do not lie beside the second pass.
        max_side_px: larger ones are scaled down, Lanczos.
        to_rgb: makes a strip of it RGB; strips come in order.
    """
    orientation = exif_orientation(image)
    width, height = image.size[::-1] if orientation in _LYING else image.size
    target_width, target_height = scaled_size((width, height), max_side_px)
    if (target_width, target_height) == (width, height):
        return _stacked((width, height), ((to_rgb(strip), top) for strip, top in _upright(image, orientation, 1)))
    by_x, by_y = _reduction(width, target_width), _reduction(height, target_height)
    narrow = _stacked(
        (target_width, math.ceil(height / by_y)),
        (
            (_narrowed(to_rgb(strip), by_x, by_y, target_width), top // by_y)
            for strip, top in _upright(image, orientation, by_y)
        ),
    )
    image.close()
    return narrow.resize((target_width, target_height), _LANCZOS, box=(0, 0, target_width, height / by_y))


def scaled_size(size: tuple[int, int], max_side_px: int) -> tuple[int, int]:
    """Width and height as stored: the longer side at most `max_side_px`, the other as near the aspect as can be."""
    width, height = size
    if max(size) <= max_side_px:
        return size
    aspect = width / height
    if aspect <= 1:
        return _nearest(max_side_px * aspect, lambda side: abs(aspect - side / max_side_px)), max_side_px
    return max_side_px, _nearest(max_side_px / aspect, lambda side: abs(aspect - max_side_px / side) if side else 0.0)


def exif_orientation(image: Picture) -> int:
    """1 to 8. EXIF that cannot be read says nothing, and the pixels are sound: no reason to refuse."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        return orientation if orientation in _METHODS else 1
    except (OSError, SyntaxError, ValueError, TypeError, LookupError, struct.error) as error:
        _LOG.info("ignoring broken EXIF: %s", error)
        return 1


def _nearest(side: float, distance: Callable[[int], float]) -> int:
    return max(min(math.floor(side), math.ceil(side), key=distance), 1)


def _reduction(side: int, target: int) -> int:
    return int(side / target / _REDUCING_GAP) or 1


def _upright(image: Picture, orientation: int, multiple: int) -> Iterator[tuple[Image.Image, int]]:
    """Strips of the upright picture and their first rows, which `multiple` divides."""
    width, height = image.size[::-1] if orientation in _LYING else image.size
    step = max(1, _STRIP_PIXELS // width // multiple) * multiple
    for top in range(0, height, step):
        bottom = min(top + step, height)
        first, last = (height - bottom, height - top) if orientation in _FROM_THE_END else (top, bottom)
        box = (first, 0, last, width) if orientation in _LYING else (0, first, width, last)
        strip = image.crop(box)
        yield (strip.transpose(_METHODS[orientation]) if orientation in _METHODS else strip), top


def _narrowed(strip: Image.Image, by_x: int, by_y: int, target_width: int) -> Image.Image:
    """A strip's rows at the target's width; its height is that of the reduced picture."""
    right = strip.width / by_x
    if by_x > 1 or by_y > 1:
        strip = strip.reduce((by_x, by_y))
    return strip.resize((target_width, strip.height), _LANCZOS, box=(0, 0, right, strip.height))


def _stacked(size: tuple[int, int], strips: Iterator[tuple[Image.Image, int]]) -> Image.Image:
    whole = Image.new("RGB", size)
    for strip, top in strips:
        whole.paste(strip, (0, top))
    return whole
