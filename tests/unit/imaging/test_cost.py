"""Photos that cost too much are refused before they are decoded, and pictures that are not there are found."""

from __future__ import annotations

import pytest
from PIL import Image

from headshots.imaging import PhotoLimits, decode_photo
from headshots.imaging.cost import MEMORY_BYTES, Outline, affordable_draft, memory_bytes, read_outline
from headshots.imaging.files import jpeg as jpeg_file
from headshots.imaging.files import png as png_file
from tests.support.images import costly
from tests.support.images.photo_files import encoded, picture, refusal

WIDE = PhotoLimits()


@pytest.mark.parametrize(
    "data",
    [
        costly.with_scans(costly.jpeg(progressive=True), jpeg_file.MAX_SCANS),
        costly.with_scans(costly.resized(costly.jpeg(progressive=True), 8000, 8000), 60),
        costly.with_padding(costly.jpeg(), jpeg_file.MAX_JUNK_BYTES + 100),
        costly.with_segments(costly.jpeg(), jpeg_file.MAX_SEGMENTS),
        costly.with_segments(costly.jpeg(), 5, b"Exif\x00\x00" + bytes(60_000)),
        costly.png(64, 64, extra=costly.texts(png_file.MAX_OTHER_CHUNKS)),
        costly.png(64, 64, extra=costly.chunk(b"IDAT", b"") * png_file.MAX_CHUNKS),
        costly.png(64, 64, extra=costly.chunk(b"eXIf", bytes(300_000))),
        encoded(picture(64, 64), "JPEG", icc_profile=bytes(5 * 2**20)),
        encoded(picture(64, 64), "WEBP", icc_profile=bytes(5 * 2**20)),
        encoded(picture(64, 64), "WEBP", exif=bytes(300_000)),
    ],
    ids=[
        "scans",
        "blocks",
        "padding",
        "segments",
        "exif",
        "texts",
        "chunks",
        "png-exif",
        "icc",
        "webp-icc",
        "webp-exif",
    ],
)
def test_a_costly_structure_is_refused(data: bytes) -> None:
    assert refusal(data, WIDE) == "PHOTO_TOO_COSTLY"


def test_memory_is_told_before_it_is_taken() -> None:
    assert refusal(costly.webp(5200, 5000), WIDE) == "PHOTO_TOO_COSTLY"


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_with_fewer_bits_than_blocks_is_truncated(progressive: bool) -> None:
    data = costly.resized(costly.jpeg(progressive=progressive), 7000, 7000)
    assert refusal(data, WIDE) == "PHOTO_TRUNCATED"


@pytest.mark.parametrize("restarts", [{}, {"restart_marker_rows": 1}, {"restart_marker_blocks": 5}])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_a_jpeg_that_was_closed_too_early_is_truncated(subsampling: int, restarts: dict[str, int]) -> None:
    """With its end marker it looks whole, and its lower part is of one colour."""
    whole = encoded(picture(201, 163), "JPEG", subsampling=subsampling, **restarts)
    decode_photo(whole, WIDE)
    for share in (0.2, 0.5, 0.9):
        assert refusal(costly.closed_early(whole, share), WIDE) == "PHOTO_TRUNCATED"


@pytest.mark.parametrize("size", [(640, 480), (201, 163)])
def test_a_jpeg_of_one_colour_is_not_taken_for_a_truncated_one(size: tuple[int, int]) -> None:
    assert decode_photo(encoded(Image.new("RGB", size, (250, 250, 250)), "JPEG"), WIDE).width == size[0]


def test_a_png_that_ends_before_its_picture_is_truncated() -> None:
    assert refusal(costly.png(640, 480, rows=400), WIDE) == "PHOTO_TRUNCATED"
    assert refusal(costly.png(4000, 4000, rows=2), WIDE) == "PHOTO_TRUNCATED"


@pytest.mark.parametrize("height", [64, 65])
@pytest.mark.parametrize("passes", [4, 5, 6])
def test_an_interlaced_png_without_its_last_passes_is_truncated(passes: int, height: int) -> None:
    """The last row of an odd height is in earlier passes, and there although the picture is not."""
    assert decode_photo(costly.interlaced_png(65, height)).height == height
    assert refusal(costly.interlaced_png(65, height, passes=passes), WIDE) == "PHOTO_TRUNCATED"


def test_a_black_photo_is_not_taken_for_a_truncated_one() -> None:
    black = picture(80, 64)
    black.paste((0, 0, 0), (0, 0, 80, 64))
    for interlaced in (False, True):
        assert decode_photo(encoded(black, "PNG", interlace=interlaced)).width == 80


def test_jpegs_that_no_camera_writes_are_refused() -> None:
    assert refusal(costly.arithmetic(costly.jpeg()), WIDE) == "PHOTO_UNSUPPORTED_FORMAT"


@pytest.mark.parametrize("size", [(64, 1000), (1000, 64), (64, 100_000), (400, 1601)])
def test_photos_that_are_too_narrow_are_refused(size: tuple[int, int]) -> None:
    assert refusal(costly.png(*size), WIDE) == "PHOTO_TOO_NARROW"


def test_what_is_stored_keeps_the_least_side() -> None:
    limits = PhotoLimits(min_side_px=64, max_side_px=128)
    assert refusal(costly.png(390, 100), limits) == "PHOTO_TOO_NARROW"
    assert decode_photo(costly.png(200, 100), limits).height == 64


def test_ordinary_files_of_every_size_are_affordable() -> None:
    """The outlines of real files, with the sides of larger ones."""
    for name, mode, data in (
        ("JPEG", "RGB", costly.jpeg()),
        ("JPEG", "CMYK", encoded(picture(64, 64).convert("CMYK"), "JPEG")),
        ("PNG", "RGBA", costly.png(64, 64, colour=6)),
        ("PNG", "I;16", costly.png(64, 64, depth=16)),
    ):
        assert affordable_draft(read_outline(data, name), name, mode, (8000, 8000), 10 * 2**20, 2048) == 1
    assert affordable_draft(Outline(), "HEIC", "RGB", (8064, 6048), 10 * 2**20, 2048) == 1
    assert affordable_draft(Outline(), "WebP", "RGB", (4300, 4300), 10 * 2**20, 2048) == 1


def test_a_large_progressive_jpeg_is_reduced_while_it_is_decoded() -> None:
    outline = read_outline(costly.resized(costly.jpeg(progressive=True), 8000, 8000), "JPEG")
    whole = memory_bytes(outline, "JPEG", "RGB", (8000, 8000), 2**20, 2048)
    assert whole > MEMORY_BYTES
    assert affordable_draft(outline, "JPEG", "RGB", (8000, 8000), 2**20, 2048) == 2
    assert memory_bytes(outline, "JPEG", "RGB", (8000, 8000), 2**20, 2048, 2) <= MEMORY_BYTES


def test_a_baseline_jpeg_in_several_scans_keeps_its_coefficients_too() -> None:
    frame = b"\x08" + (64).to_bytes(2, "big") * 2 + b"\x03\x01\x11\x00\x02\x11\x01\x03\x11\x01"
    scans = [b"\x01" + bytes([component]) + b"\x00\x00\x3f\x00" for component in (1, 2, 3)]
    segments = [(b"\xff\xc0", frame, b""), *((b"\xff\xda", scan, bytes(64)) for scan in scans)]
    body = b"".join(kind + (2 + len(head)).to_bytes(2, "big") + head + data for kind, head, data in segments)
    outline = read_outline(b"\xff\xd8" + body + b"\xff\xd9", "JPEG").jpeg
    assert outline is not None
    assert (outline.scans, outline.scan_blocks, outline.coefficient_bytes) == (3, 3 * 64, 2 * 64 * 3 * 64)
    assert jpeg_file.read_jpeg(costly.jpeg()).coefficient_bytes == 0


def test_memory_counts_the_picture_between_the_two_passes_of_a_scaling() -> None:
    sides = (8000, 4000)
    between = memory_bytes(Outline(), "PNG", "L", sides, 0, 2048) - memory_bytes(Outline(), "PNG", "L", sides, 0, 1024)
    assert between >= 4 * (2048 - 1024) * 4000
