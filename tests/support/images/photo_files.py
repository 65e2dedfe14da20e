"""Photo files of every kind, for tests of decoding: one picture, encoded as asked, and what decoding makes of it."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from headshots.errors import InvalidPhotoError
from headshots.imaging import NormalisedPhoto, PhotoLimits, decode_photo

SMALL = PhotoLimits(max_bytes=200_000, max_pixels=40_000, min_side_px=16, max_side_px=128)


def picture(width: int = 96, height: int = 64) -> Image.Image:
    """Four quadrants: red, green / blue, grey ramp."""
    rgb_HWC = np.zeros((height, width, 3), dtype=np.uint8)
    rgb_HWC[: height // 2, : width // 2] = (200, 30, 30)
    rgb_HWC[: height // 2, width // 2 :] = (30, 180, 40)
    rgb_HWC[height // 2 :, : width // 2] = (40, 50, 190)
    rgb_HWC[height // 2 :, width // 2 :] = np.linspace(0, 255, width - width // 2, dtype=np.uint8)[None, :, None]
    return Image.fromarray(rgb_HWC)


def encoded(image: Image.Image, format_name: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format_name, **options)
    return out.getvalue()


def decoded(photo: NormalisedPhoto) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(photo.png)), dtype=np.int64)


def heic(image: Image.Image, **options: object) -> bytes:
    """As phones write it: how the picture is turned stands in the container (`irot`, `imir`) and in the EXIF."""
    out = io.BytesIO()
    pillow_heif.from_pillow(image).save(out, quality=100, **options)
    return out.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG of 60 bytes that promises width x height pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def refusal(data: bytes, limits: PhotoLimits = SMALL) -> str:
    with pytest.raises(InvalidPhotoError) as caught:
        decode_photo(data, limits)
    assert len(caught.value.message) > 30, "the message tells the cure"
    return caught.value.reason


def linear_rgb_profile() -> bytes:
    """sRGB's primaries with gamma 1: the same numbers are much brighter."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", profile[128:132])[0]
    curve = b"curv" + bytes(4) + struct.pack(">I", 0)  # no entries: identity
    for index in range(count):
        at = 132 + 12 * index
        if bytes(profile[at : at + 4]) in (b"rTRC", b"gTRC", b"bTRC"):
            profile[at + 4 : at + 12] = struct.pack(">II", len(profile), len(curve))
    profile += curve
    profile[0:4] = struct.pack(">I", len(profile))
    return bytes(profile)
