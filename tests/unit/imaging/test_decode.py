"""decode_photo: every accepted kind becomes the same upright sRGB picture, every bad one is refused by name."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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


def _linear_rgb_profile() -> bytes:
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


@pytest.mark.parametrize("format_name", ["PNG", "HEIC"])
def test_the_colour_profile_is_applied(format_name: str) -> None:
    grey = Image.new("RGB", (64, 64), (55, 55, 55))
    grey.info["icc_profile"] = _linear_rgb_profile()
    data = heic(grey) if format_name == "HEIC" else encoded(grey, format_name)
    photo = decode_photo(data, SMALL)
    # 55/255 of linear light is 0.5029 in sRGB's curve (IEC 61966-2-1).
    assert abs(int(decoded(photo)[0, 0, 0]) - 128) <= 1


@pytest.mark.parametrize("profile", [b"not a profile", _linear_rgb_profile()[:300]])
def test_a_broken_colour_profile_is_ignored(profile: bytes) -> None:
    photo = decode_photo(encoded(picture(), "PNG", icc_profile=profile), SMALL)
    assert (decoded(photo) == np.asarray(picture())).all()


def test_a_profile_of_another_colour_space_is_ignored() -> None:
    photo = decode_photo(encoded(picture().convert("L"), "PNG", icc_profile=_linear_rgb_profile()), SMALL)
    assert (decoded(photo)[..., 0] == np.asarray(picture().convert("L"))).all()


def test_large_photos_are_scaled_down() -> None:
    photo = decode_photo(encoded(picture(256, 100), "PNG"), SMALL)
    assert (photo.width, photo.height) == (128, 50)


def test_a_second_picture_in_a_jpeg_is_no_animation() -> None:
    first, second = picture(), picture().convert("L").convert("RGB")
    photo = decode_photo(encoded(first, "MPO", save_all=True, append_images=[second], quality=98), SMALL)
    assert np.abs(decoded(photo) - np.asarray(picture(), dtype=np.int64)).mean() < 6


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
    webp = bytearray(encoded(picture(), "WEBP", icc_profile=_linear_rgb_profile()))
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
