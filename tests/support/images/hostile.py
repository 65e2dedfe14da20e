"""Makes more files that are meant to hurt a parser: bombs in metadata, endless chunks, pictures of other kinds."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Any

import pillow_heif
from PIL import Image

from tests.support.images.costly import chunk, jpeg, noise, png
from tests.support.images.photo_files import encoded

HEADS = {
    "gif": b"GIF89a",
    "bmp": b"BM",
    "tiff": b"II*\x00",
    "photoshop": b"8BPS",
    "jpeg-2000": b"\x00\x00\x00\x0cjP  ",
    "jpeg-xl": b"\xff\x0a",
    "pdf": b"%PDF-",
    "svg": b"<svg",
    "ico": b"\x00\x00\x01\x00",
    "avif": b"\x00\x00\x00\x20ftypavif",
    "film": b"\x00\x00\x00\x20ftypisom",
}
"""First bytes of formats that are known and not read."""

SIGNATURES = {
    "jpg": b"\xff\xd8\xff",
    "png": b"\x89PNG\r\n\x1a\n",
    "webp": b"RIFF\xff\xff\x00\x00WEBPVP8 ",
}
"""First bytes of formats that are read."""

_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PNG_HEADER_BYTES = 33


def interlaced(width: int, height: int) -> bytes:
    """A grey PNG in the seven passes of Adam7."""
    packer, packed = zlib.compressobj(1), b""
    for left, top, by_x, by_y in _PASSES:
        columns, rows = -(-(width - left) // by_x), -(-(height - top) // by_y)
        row = b"\x00" + bytes(7 * column % 256 for column in range(columns))
        packed += b"".join(packer.compress(row) for _ in range(rows))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", packed + packer.flush()) + chunk(b"IEND", b"")
    return SIGNATURES["png"] + body


def png_with_bomb(kind: bytes, size: int) -> bytes:
    """A small PNG with a chunk of text or profile that unpacks to `size` bytes."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(min(2**20, size - at))) for at in range(0, size, 2**20)) + packer.flush()
    head = {b"iCCP": b"name\x00\x00", b"zTXt": b"name\x00\x00", b"iTXt": b"name\x00\x01\x00\x00\x00"}[kind]
    return png(64, 64, extra=chunk(kind, head + packed))


def rationals(size: int) -> bytes:
    """EXIF whose one entry has as many rational numbers as fit into `size` bytes."""
    count = (size - 26) // 8
    entry = struct.pack("<HHII", 0x8298, 5, count, 26)
    return b"II*\x00\x08\x00\x00\x00\x01\x00" + entry + bytes(4) + b"\x01\x00\x00\x00\x03\x00\x00\x00" * count


def with_rationals(kind: str, size: int) -> bytes:
    """A small photo (jpg, png or webp) with `size` bytes of EXIF."""
    exif = rationals(size)
    if kind == "png":
        return png(64, 64, extra=chunk(b"eXIf", exif))
    picture = Image.new("RGB", (64, 64), (9, 90, 200))
    return encoded(picture, {"jpg": "JPEG", "webp": "WEBP"}[kind], exif=b"Exif\x00\x00" + exif)


def jpeg_with_profile(size: int) -> bytes:
    """A small JPEG with a colour profile in as many segments as it takes; at most 16 MB, 255 of 64 KB."""
    parts = [bytes(min(65_000, size - at)) for at in range(0, size, 65_000)]
    data = jpeg()
    segments = b"".join(
        b"\xff\xe2"
        + struct.pack(">H", 16 + len(part))
        + b"ICC_PROFILE\x00"
        + bytes((number % 255 + 1, min(len(parts), 255)))
        + part
        for number, part in enumerate(parts)
    )
    return data[:2] + segments + data[2:]


def with_comments(data: bytes, count: int) -> bytes:
    """The JPEG with `count` comments of 65 KB."""
    return data[:2] + (b"\xff\xfe" + struct.pack(">H", 65_002) + bytes(65_000)) * count + data[2:]


def webp_canvas(width: int, height: int) -> bytes:
    """A WebP that claims a canvas of these sides, and has no picture."""
    body = struct.pack("<I", 0) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return _riff(b"VP8X" + struct.pack("<I", 10) + body)


def webp_with_chunks(count: int) -> bytes:
    """A small WebP with `count` empty chunks of no known kind behind its picture."""
    data = encoded(Image.new("RGB", (64, 64), (9, 90, 200)), "WEBP")
    flags = b"VP8X" + struct.pack("<I", 10) + struct.pack("<I", 0) + (63).to_bytes(3, "little") * 2
    return _riff(flags + data[12:] + b"ABCD\x00\x00\x00\x00" * count)


def _riff(body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def frames(format_name: str, count: int) -> bytes:
    """An animation (GIF, PNG, WEBP); a still picture of that format where `count` is 1."""
    pictures = [noise(96, 96, seed) for seed in range(count)]
    return encoded(pictures[0], format_name, save_all=True, append_images=pictures[1:])


def archive() -> bytes:
    """A ZIP with a file of 50 MB of zeros."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zeros", bytes(50_000_000))
    return out.getvalue()


def turned(picture: Image.Image, orientation: int) -> bytes:
    """A JPEG whose EXIF says how it is to be turned, 1 to 8."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(picture, "JPEG", exif=exif.tobytes())


def heic(picture: Image.Image, quality: int) -> bytes:
    """A HEIC of this quality, 0 to 100."""
    out = io.BytesIO()
    pillow_heif.from_pillow(picture).save(out, quality=quality)
    return out.getvalue()


def flat(mode: str) -> bytes:
    """A PNG of 64 megapixels and one colour, of a mode with a byte a pixel or less."""
    return encoded(Image.new(mode, (8000, 8000), 1), "PNG", compress_level=1)


def shown(seed: int, mode: str = "RGB", size: tuple[int, int] = (800, 600)) -> Image.Image:
    """A picture with smooth and with noisy parts."""
    picture = noise(16, 12, seed).resize(size, Image.Resampling.BICUBIC)
    picture.paste(noise(size[0] // 4, size[1] // 4, seed + 1), (size[0] // 3, size[1] // 3))
    return picture.convert(mode)


def shown_jpeg(seed: int, mode: str, size: tuple[int, int], **options: Any) -> bytes:
    """That picture as a JPEG."""
    return encoded(shown(seed, mode, size), "JPEG", **options)


def shown_png(seed: int, mode: str) -> bytes:
    """That picture as a PNG."""
    return encoded(shown(seed, mode), "PNG")


def shown_webp(seed: int, **options: Any) -> bytes:
    """That picture as a WebP."""
    return encoded(shown(seed, "RGBA"), "WEBP", **options)
