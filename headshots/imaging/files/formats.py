"""Reads from a file's first bytes what it claims to be, before any decoder sees it."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from headshots.imaging.files import png

# The formats that decode.py has a decoder for.
DECODABLE = ("JPEG", "PNG", "WebP", "HEIC")

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (png.SIGNATURE, "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF or camera raw"),
    (b"MM\x00*", "TIFF or camera raw"),
    (b"II+\x00", "TIFF or camera raw"),
    (b"8BPS", "Photoshop"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"%PDF-", "PDF"),
    (b"<svg", "SVG"),
    (b"<?xml", "SVG"),
    (b"\x00\x00\x01\x00", "ICO"),
)
# ISO base media files name what they hold in `ftyp`: major brand -> format (ISO/IEC 23008-12, annex B).
_BRANDS = {
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"heim": "HEIC",
    b"heis": "HEIC",
    b"mif1": "HEIC",
    b"hevc": "HEIC sequence",
    b"hevx": "HEIC sequence",
    b"msf1": "HEIC sequence",
    b"avif": "AVIF",
    b"avis": "AVIF",
}


def sniff(data: bytes) -> str | None:
    """The format that the first bytes name, or None where they name none that we know."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], "video")
    return next((name for signature, name in _SIGNATURES if data.startswith(signature)), None)


def webp_canvas(data: bytes) -> tuple[int, int] | None:
    """Width and height that a WebP file's header promises; None where the header is broken.

    Pillow's decoder object allocates the whole canvas when the file is opened, so the pixel cap has to be
    checked on the raw header (RFC 9649, sections 2.4 to 2.7).
    """
    kind, body = data[12:16], data[20:30]
    if len(body) < 10:
        return None
    if kind == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    return None


def is_cut(data: bytes, format_name: str) -> bool:
    """Whether the container says that bytes are missing. JPEG has no lengths, only an end marker."""
    if format_name == "JPEG":
        return b"\xff\xd9" not in data[-65536:]
    if format_name == "WebP":
        return len(data) < 8 or int.from_bytes(data[4:8], "little") + 8 > len(data)
    if format_name == "PNG":
        kinds = [kind for kind, _ in png.chunks_of(data)]
        return not kinds or kinds[-1] != b"IEND"
    return any(end > len(data) for end in _box_ends(data))


def _box_ends(data: bytes) -> Iterator[int]:
    """Where each top-level box of an ISO base media file says that it ends."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1 and at + 16 <= len(data):
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size == 0:  # "to the end of the file"
            return
        at += max(size, 8)
        yield at
