"""Reads a HEIC's picture from the decoder's own memory, so that its pixels do not lie there twice."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

try:  # HEIC needs libheif, which `pillow-heif` brings; without it HEIC is one more unsupported format.
    from pillow_heif import HeifFile
except ImportError:  # pragma: no cover
    HeifFile = None

AVAILABLE = HeifFile is not None


class HeicPicture:
    """Implements `headshots.imaging.strips.Picture` for the primary image of a file.

    libheif turns and mirrors it as the container says, and what its EXIF says of that is meant for others.
    """

    def __init__(self, data: bytes) -> None:
        """Parses the header; decodes nothing. Raises what pillow-heif raises."""
        file = HeifFile(io.BytesIO(data), convert_hdr_to_8bit=True, hdr_to_16bit=True, remove_stride=False)
        self._image: Any = file[file.primary_index]
        self.info: dict[str | tuple[int, int], Any] = dict(self._image.info)
        self.mode: str = self._image.mode
        self._rows = memoryview(b"")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height; decoding may change them."""
        width, height = self._image.size
        return int(width), int(height)

    def load(self) -> None:
        """Decodes."""
        self._rows = memoryview(self._image.data).cast("B")

    def getexif(self) -> Image.Exif:
        """Empty."""
        return Image.Exif()

    def crop(self, box: tuple[int, int, int, int]) -> Image.Image:
        """A copy of the box."""
        left, top, right, bottom = box
        stride = self._image.stride
        rows = bytes(self._rows[top * stride : bottom * stride])
        strip = Image.frombytes(self.mode, (self.size[0], bottom - top), rows, "raw", self.mode, stride)
        return strip.crop((left, 0, right, bottom - top))

    def close(self) -> None:
        """Frees the pixels."""
        self._rows, self._image = memoryview(b""), None
