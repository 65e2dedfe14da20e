"""decode_photo refuses every bad photo with the reason."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from headshots.errors import InvalidPhotoError
from headshots.imaging import PhotoLimits, decode_photo
from tests.support.images.photo_files import (
    SMALL,
    decoded,
    encoded,
    heic,
    linear_rgb_profile,
    picture,
    png_header,
    refusal,
)


@pytest.mark.parametrize("format_name", ["PNG", "WEBP"])
def test_animations_are_refused(format_name: str) -> None:
    frames = [picture(), picture().transpose(Image.Transpose.ROTATE_180)]
    data = encoded(frames[0], format_name, save_all=True, append_images=frames[1:], duration=100)
    assert refusal(data) == "PHOTO_ANIMATED"


@pytest.mark.parametrize("data", [b"", b"\xff", b"hello, I am a text", b"MZ" + bytes(100), bytes(5000)])
def test_what_is_no_image_is_refused(data: bytes) -> None:
    assert refusal(data) == "PHOTO_UNDECODABLE"


@pytest.mark.parametrize("format_name", ["GIF", "BMP", "TIFF", "JPEG2000", "AVIF", "ICO"])
def test_other_formats_are_refused(format_name: str) -> None:
    assert refusal(encoded(picture(), format_name)) == "PHOTO_UNSUPPORTED_FORMAT"


def test_bombs_are_refused_by_their_header() -> None:
    assert refusal(png_header(60_000, 60_000)) == "PHOTO_TOO_MANY_PIXELS"
    webp = bytearray(encoded(picture(), "WEBP", icc_profile=linear_rgb_profile()))
    assert webp[12:16] == b"VP8X"
    webp[24:30] = b"\xff\x3f\x00\xff\x3f\x00"
    assert refusal(bytes(webp)) == "PHOTO_TOO_MANY_PIXELS"
    jpeg = bytearray(encoded(picture(), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 65_000, 65_000)
    assert refusal(bytes(jpeg)) == "PHOTO_TOO_MANY_PIXELS"


@pytest.mark.parametrize("lossless", [False, True])
def test_both_simple_webp_headers_are_read(lossless: bool) -> None:
    limits = PhotoLimits(max_pixels=1000)
    assert refusal(encoded(picture(), "WEBP", lossless=lossless), limits) == "PHOTO_TOO_MANY_PIXELS"


def test_heic_bombs_are_refused() -> None:
    assert refusal(heic(picture(256, 256))) == "PHOTO_TOO_MANY_PIXELS"


def test_small_photos_are_refused() -> None:
    assert refusal(encoded(picture(64, 15), "PNG")) == "PHOTO_TOO_SMALL"


def test_uploads_above_the_byte_cap_are_refused() -> None:
    assert refusal(bytes(200_001)) == "PHOTO_TOO_LARGE"


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("format_name", ["PNG", "WEBP", "JPEG", "HEIC"])
def test_truncated_files_are_refused(format_name: str, share: float) -> None:
    noise = Image.effect_noise((96, 96), 80).convert("RGB")
    data = heic(noise) if format_name == "HEIC" else encoded(noise, format_name)
    assert refusal(data[: int(len(data) * share)]) == "PHOTO_TRUNCATED"


def test_damaged_files_are_refused() -> None:
    data = bytearray(encoded(Image.effect_noise((96, 96), 80), "PNG"))
    data[200:260] = bytes(60)
    assert refusal(bytes(data)) == "PHOTO_UNDECODABLE"


_SEEDS = [
    encoded(picture(24, 24), "PNG"),
    encoded(picture(24, 24), "WEBP"),
    encoded(picture(24, 24), "JPEG"),
    encoded(picture(24, 24).convert("P"), "PNG"),
    encoded(picture(24, 24), "JPEG", exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00"),
]


@settings(max_examples=150, deadline=None)
@given(
    seed=st.sampled_from(_SEEDS),
    edits=st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=4)), max_size=6),
    end=st.integers(0, 4000),
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_any_bytes_give_a_photo_or_a_refusal(seed: bytes, edits: list[tuple[int, bytes]], end: int) -> None:
    data = bytearray(seed)
    for at, patch in edits:
        at %= len(data)
        data[at : at + len(patch)] = patch
    refused = ""
    try:
        photo = decode_photo(bytes(data[:end]), SMALL)
    except InvalidPhotoError as error:
        refused = error.reason
    if refused:
        assert refused.startswith("PHOTO_")
    else:
        assert decoded(photo).shape == (photo.height, photo.width, 3)
        assert photo.width * photo.height <= SMALL.max_pixels
