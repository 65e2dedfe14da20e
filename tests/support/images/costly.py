"""Makes small files that cost a decoder much: hours of passes, gigabytes of pixels, pictures that are not there."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

from tests.support.images.photo_files import encoded, picture


def jpeg(width: int = 64, height: int = 64, *, progressive: bool = False) -> bytes:
    return encoded(picture(width, height), "JPEG", progressive=progressive)


def resized(data: bytes, width: int, height: int) -> bytes:
    """The JPEG with other sides in its header."""
    at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def closed_early(data: bytes, share: float) -> bytes:
    """The JPEG in one scan with only this share of its coded data, and its end marker."""
    scan = data.index(b"\xff\xda") + 14
    cut = data[: scan + int((len(data) - scan) * share)]
    return cut.removesuffix(b"\xff") + b"\xff\xd9"


def with_scans(data: bytes, count: int) -> bytes:
    """The progressive JPEG with its last scan `count` times more."""
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * count + b"\xff\xd9"


def with_padding(data: bytes, size: int) -> bytes:
    """The JPEG with `size` fill bytes before its second segment."""
    return data[:2] + b"\xff" * size + data[2:]


def with_segments(data: bytes, count: int, body: bytes = b"") -> bytes:
    """The JPEG with `count` segments more, as EXIF's are."""
    return data[:2] + (b"\xff\xe1" + struct.pack(">H", 2 + len(body)) + body) * count + data[2:]


def arithmetic(data: bytes) -> bytes:
    """The JPEG with a frame that says that it is arithmetic coded."""
    return data.replace(b"\xff\xc0", b"\xff\xc9", 1)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    width: int, height: int, *, depth: int = 8, colour: int = 0, rows: int | None = None, extra: bytes = b""
) -> bytes:
    """A PNG whose samples are all 7, of which only the first `rows` are there; `extra` chunks stand before them."""
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    row = b"\x00" + bytes([7]) * (width * channels * depth // 8)
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(row) for _ in range(height if rows is None else rows)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + extra + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def interlaced_png(width: int, height: int, *, passes: int = 7) -> bytes:
    """A grey interlaced PNG of which only the first `passes` are there."""
    steps = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    rows = (
        b"\x00" + b"\xc8" * len(range(left, width, by_x))
        for left, top, by_x, by_y in steps[:passes]
        for _ in range(top, height, by_y)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def texts(count: int) -> bytes:
    """Chunks of text."""
    return chunk(b"tEXt", b"a\x00b") * count


def webp(width: int, height: int) -> bytes:
    """A lossy WebP of one colour."""
    return encoded(Image.new("RGB", (width, height), (9, 90, 200)), "WEBP", quality=1, method=0)


def noise(width: int, height: int, seed: int) -> Image.Image:
    """A picture that packs badly."""
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def worst(seed: int) -> dict[str, bytes]:
    """The worst files of each kind that are still photos of 64 megapixels, or claim to be. Takes seconds to make."""
    side = 8000
    plain = Image.new("RGB", (side, side), (200, 120, 40))
    plain.paste(noise(1200, 1200, seed), (300, 300))
    out = io.BytesIO()
    plain.convert("CMYK").save(out, "JPEG", quality=80)
    return {
        "grey16": png(side, side, depth=16),
        "rgb16": png(side, side, depth=16, colour=2),
        "rgba": png(side, side, colour=6),
        "baseline": encoded(plain, "JPEG", quality=90),
        "progressive": encoded(plain, "JPEG", quality=90, progressive=True),
        "full_colour": encoded(plain, "JPEG", quality=90, progressive=True, subsampling=0),
        "cmyk": out.getvalue(),
        "webp": webp(4300, 4300),
        "scans": with_scans(resized(jpeg(progressive=True), side, side), 90),
        "padding": with_padding(jpeg(), 8_000_000),
        "texts": png(64, 64, extra=texts(500_000)),
        "exif": with_segments(jpeg(), 300, b"Exif\x00\x00" + bytes(65_000)),
    }
