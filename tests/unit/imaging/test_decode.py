"""decode_photo turns every accepted kind of photo into the same upright sRGB picture."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from headshots.imaging import decode_photo
from tests.support.images.photo_files import SMALL, decoded, encoded, heic, linear_rgb_profile, picture


@pytest.mark.parametrize(
    ("encode", "tolerance"),
    [
        (lambda image: encoded(image, "PNG"), 0),
        (lambda image: encoded(image, "WEBP", lossless=True), 0),
        (lambda image: encoded(image, "JPEG", quality=98, subsampling=0), 4),
        (lambda image: encoded(image, "JPEG", quality=98, subsampling=0, progressive=True), 4),
        (lambda image: heic(image), 6),
    ],
    ids=["png", "webp", "jpeg", "progressive", "heic"],
)
def test_every_format_gives_the_picture(encode: Callable[[Image.Image], bytes], tolerance: int) -> None:
    photo = decode_photo(encode(picture()), SMALL)
    assert (photo.width, photo.height) == (96, 64)
    assert np.abs(decoded(photo) - np.asarray(picture(), dtype=np.int64)).mean() <= tolerance
    assert Image.open(io.BytesIO(photo.png)).info == {}


def test_the_same_upload_gives_the_same_bytes_and_digests() -> None:
    data = encoded(picture(), "JPEG")
    first, second = decode_photo(data, SMALL), decode_photo(data, SMALL)
    assert first == second
    other_file = decode_photo(encoded(picture(), "PNG"), SMALL)
    same_pixels = decode_photo(encoded(picture(), "WEBP", lossless=True), SMALL)
    assert other_file.sha256 != same_pixels.sha256
    assert other_file.png_sha256 == same_pixels.png_sha256


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "HEIC"])
def test_exif_orientation_is_applied(format_name: str, orientation: int) -> None:
    stored = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    turned = picture() if stored is None else picture().transpose(stored)
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "A phone that nobody should learn of"
    if format_name == "HEIC":
        data = heic(turned, exif=exif.tobytes())
    else:
        data = encoded(turned, format_name, exif=exif, quality=98, lossless=True)
    photo = decode_photo(data, SMALL)
    assert (photo.width, photo.height) == (96, 64)
    assert np.abs(decoded(photo) - np.asarray(picture(), dtype=np.int64)).mean() < 4
    assert b"nobody" not in photo.png


@pytest.mark.filterwarnings("ignore:Tag data larger than file", "ignore:Corrupt EXIF data")
def test_broken_exif_does_not_cost_the_photo() -> None:
    # One entry that points far behind the end of the block.
    exif = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x02\x00" + struct.pack("<HHII", 0x0112, 5, 9, 2**31) + b"\x00"
    photo = decode_photo(encoded(picture(), "JPEG", exif=exif), SMALL)
    assert (photo.width, photo.height) == (96, 64)


def test_cmyk_is_converted() -> None:
    photo = decode_photo(encoded(picture().convert("CMYK"), "JPEG", quality=98), SMALL)
    assert np.abs(decoded(photo) - np.asarray(picture(), dtype=np.int64)).mean() < 6


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    ramp_HW = np.tile(np.linspace(0, 65535, 96), (64, 1)).astype(np.uint16)
    photo = decode_photo(encoded(Image.fromarray(ramp_HW), "PNG"), SMALL)
    assert np.abs(decoded(photo)[..., 0] - ramp_HW / 257).max() <= 1


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    photo = decode_photo(encoded(picture().convert(mode), "PNG"), SMALL)
    expected = np.asarray(picture().convert(mode).convert("RGB"), dtype=np.int64)
    assert np.abs(decoded(photo) - expected).max() <= 1


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
def test_what_is_transparent_becomes_white(mode: str) -> None:
    image = picture().convert("RGBA")
    image.putalpha(0)
    if mode == "P":
        image = image.quantize(8)
        image.info["transparency"] = bytes(256)
        data = encoded(image, "PNG", transparency=bytes(256))
    else:
        data = encoded(image.convert(mode), "PNG")
    assert (decoded(decode_photo(data, SMALL)) == 255).all()


@pytest.mark.parametrize("format_name", ["PNG", "HEIC"])
def test_the_colour_profile_is_applied(format_name: str) -> None:
    grey = Image.new("RGB", (64, 64), (55, 55, 55))
    grey.info["icc_profile"] = linear_rgb_profile()
    data = heic(grey) if format_name == "HEIC" else encoded(grey, format_name)
    photo = decode_photo(data, SMALL)
    # 55/255 of linear light is 0.5029 in sRGB's curve (IEC 61966-2-1).
    assert abs(int(decoded(photo)[0, 0, 0]) - 128) <= 1


@pytest.mark.parametrize("profile", [b"not a profile", linear_rgb_profile()[:300]])
def test_a_broken_colour_profile_is_ignored(profile: bytes) -> None:
    photo = decode_photo(encoded(picture(), "PNG", icc_profile=profile), SMALL)
    assert (decoded(photo) == np.asarray(picture())).all()


def test_a_profile_of_another_colour_space_is_ignored() -> None:
    photo = decode_photo(encoded(picture().convert("L"), "PNG", icc_profile=linear_rgb_profile()), SMALL)
    assert (decoded(photo)[..., 0] == np.asarray(picture().convert("L"))).all()


def test_large_photos_are_scaled_down() -> None:
    photo = decode_photo(encoded(picture(256, 100), "PNG"), SMALL)
    assert (photo.width, photo.height) == (128, 50)


def test_a_second_picture_in_a_jpeg_is_no_animation() -> None:
    first, second = picture(), picture().convert("L").convert("RGB")
    photo = decode_photo(encoded(first, "MPO", save_all=True, append_images=[second], quality=98), SMALL)
    assert np.abs(decoded(photo) - np.asarray(picture(), dtype=np.int64)).mean() < 6
