"""Reads how a PNG file is built, in one pass over its chunks and without decoding (PNG, third edition, section 5)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from headshots.imaging.files.jpeg import check_exif
from headshots.imaging.files.refusals import too_costly, truncated

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 25_000
"""Chunks of all kinds; pictures come in chunks of 8 KiB and more, 20 MiB in 2,560."""
MAX_OTHER_CHUNKS = 1000
"""Chunks that are not of the picture: texts, profiles, times."""
MAX_RAW_BYTES = 512 * 2**20
"""What the picture's chunks may be unpacked to: 64 megapixels of 16 bits in 4 channels, and no more."""
_DEFLATE_RATIO = 1032
"""What deflate packs, at best, into a byte (zlib, technical details)."""
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column, first row and steps of the seven pictures that an interlaced one is made of."""
_SLICE_BYTES = 2**20


@dataclass(frozen=True)
class PngOutline:
    """What a PNG's chunks tell; zeros where the header is broken."""

    raw_bytes: int = 0
    """Rows and their filter bytes, unpacked."""
    packed_bytes: int = 0
    last_row: int = 0
    """The picture's row that comes last in the file; in an interlaced one that is the last row of odd number."""

    def check(self) -> None:
        """Refuses a picture that is too much to unpack, or that cannot be in so few bytes.

        Raises:
            InvalidPhotoError: PHOTO_TOO_COSTLY, PHOTO_TRUNCATED.
        """
        if self.raw_bytes > MAX_RAW_BYTES:
            raise too_costly(f"the PNG file unpacks to {self.raw_bytes} bytes, {MAX_RAW_BYTES} are allowed")
        if self.raw_bytes > _DEFLATE_RATIO * self.packed_bytes:
            raise truncated("PNG")


def read_png(data: bytes) -> PngOutline:
    """Walks the chunks of `data`.

    Raises:
        InvalidPhotoError: PHOTO_TOO_COSTLY.
    """
    packed, others = 0, 0
    for number, (kind, body) in enumerate(chunks_of(data), start=1):
        if kind == b"IDAT":
            packed += len(body)
        else:
            others += 1
        if kind == b"eXIf":
            check_exif(len(body))
        if number > MAX_CHUNKS or others > MAX_OTHER_CHUNKS:
            raise too_costly(f"the PNG file has {number} chunks or more")
    return PngOutline(_raw_bytes(data), packed, _last_row(data))


def holds_picture(data: bytes, raw_bytes: int) -> bool:
    """Whether the picture's chunks unpack to as much as it has.

    A file may say that it ends before its picture does, and a decoder leaves the rest black.
    """
    unpacker, size = zlib.decompressobj(), 0
    for kind, body in chunks_of(data):
        pending = bytes(body) if kind == b"IDAT" else b""
        while size < raw_bytes and not unpacker.eof and (pending or unpacker.unconsumed_tail):
            size += len(unpacker.decompress(pending or unpacker.unconsumed_tail, _SLICE_BYTES))
            pending = b""
    return size >= raw_bytes


def chunks_of(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Kind and body of the chunks that are there in whole, to `IEND`."""
    view, at = memoryview(data), len(SIGNATURE)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            return
        kind = data[at + 4 : at + 8]
        yield kind, view[at + 8 : end - 4]
        if kind == b"IEND":
            return
        at = end


def _raw_bytes(data: bytes) -> int:
    if data[12:16] != b"IHDR" or len(data) < 29:
        return 0
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    bits = depth * _CHANNELS.get(colour, 0)
    if not interlaced:
        return _rows(width, height, bits)
    return sum(
        _rows(-(-max(width - left, 0) // by_x), -(-max(height - top, 0) // by_y), bits)
        for left, top, by_x, by_y in _PASSES
    )


def _last_row(data: bytes) -> int:
    if len(data) < 29:
        return 0
    height, interlaced = int.from_bytes(data[20:24], "big"), data[28]
    return max(height // 2 * 2 - 1 if interlaced else height - 1, 0)


def _rows(width: int, height: int, bits: int) -> int:
    return height * (1 + -(-width * bits // 8)) if width and height else 0
