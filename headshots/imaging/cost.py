"""Tells what a photo would cost to decode, before a decoder sees it, and refuses one that would cost too much.

A file of 20 MiB can ask for hours of time and gigabytes of memory. Its structure tells that: frames, scans and segments
of a JPEG, chunks of a PNG. What is left, memory for the pixels, follows from the format and the size.
"""

from __future__ import annotations

from dataclasses import dataclass

from headshots.imaging.files.jpeg import JpegOutline, read_jpeg
from headshots.imaging.files.png import PngOutline, read_png
from headshots.imaging.files.refusals import too_costly
from headshots.imaging.strips import scaled_size

MEMORY_BYTES = 352 * 2**20
"""What decoding one photo may take, its file included. 64 megapixels of a baseline JPEG or of a PNG pass."""
MAX_PROFILE_BYTES = 4 * 2**20
"""Of an embedded colour profile; those of printers have 1 to 3 MiB."""
_BESIDE_BYTES = 16 * 2**20
"""Strips, tables, the stored picture and its PNG."""
# Bytes a pixel that Pillow keeps, by mode; modes with two or three channels take four bytes as well.
_PIXEL_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}
_OTHER_PIXEL_BYTES = 4
# Of other decoders: libwebp keeps two canvases and hands over a copy, beside Pillow's; libheif keeps luma and chroma,
# once more where the picture is turned, and a copy of three or four bytes.
_DECODER_PIXEL_BYTES = {"WebP": 16.0, "HEIC": 5.0}
_DRAFTS = (1, 2, 4, 8)
"""By which a JPEG's sides can be divided while it is decoded."""


@dataclass(frozen=True)
class Outline:
    """What a file's structure tells; None where it is of another format."""

    jpeg: JpegOutline | None = None
    png: PngOutline | None = None

    def check(self) -> None:
        """Refuses a picture that takes too much time, or of which the file cannot hold all.

        Raises:
            InvalidPhotoError: PHOTO_TOO_COSTLY, PHOTO_TRUNCATED.
        """
        for outline in (self.jpeg, self.png):
            if outline is not None:
                outline.check()


def read_outline(data: bytes, format_name: str) -> Outline:
    """Reads the structure in one pass.

    Raises:
        InvalidPhotoError: PHOTO_TOO_COSTLY, PHOTO_UNSUPPORTED_FORMAT.
    """
    if format_name == "JPEG":
        return Outline(jpeg=read_jpeg(data))
    return Outline(png=read_png(data)) if format_name == "PNG" else Outline()


def affordable_draft(
    outline: Outline, format_name: str, mode: str, size: tuple[int, int], file_bytes: int, max_side_px: int
) -> int:
    """By how much the sides are to be divided while decoding: 1 where the whole picture fits into the memory.

    Only a JPEG can be divided, and only so far that its longer side keeps `max_side_px`.

    Raises:
        InvalidPhotoError: PHOTO_TOO_COSTLY.
    """
    for draft in _DRAFTS:
        needed = memory_bytes(outline, format_name, mode, size, file_bytes, max_side_px, draft)
        if needed <= MEMORY_BYTES:
            return draft
        if outline.jpeg is None or max(size) // (2 * draft) < max_side_px:
            break
    width, height = size
    raise too_costly(f"{width}x{height} pixels of this kind of {format_name} take {needed >> 20} MiB of memory")


def memory_bytes(
    outline: Outline,
    format_name: str,
    mode: str,
    size: tuple[int, int],
    file_bytes: int,
    max_side_px: int,
    draft: int = 1,
) -> int:
    """Bytes of memory that decoding takes, at most, with sides divided by `draft`."""
    width, height = (-(-side // draft) for side in size)
    pixel_bytes = _DECODER_PIXEL_BYTES.get(format_name) or _PIXEL_BYTES.get(mode, _OTHER_PIXEL_BYTES)
    narrow_width, narrow_height = scaled_size((width, height), max_side_px)
    narrow = 4 * max(narrow_width * height, width * narrow_height)
    coefficients = outline.jpeg.coefficient_bytes if outline.jpeg else 0
    return int(pixel_bytes * width * height) + coefficients + narrow + file_bytes + _BESIDE_BYTES
