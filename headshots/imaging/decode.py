"""Decodes an uploaded photo to an upright sRGB picture without metadata, or refuses it with a precise reason.

The order is the defence: size of the upload, format by its signature, cost by the file's structure, pixels by the
header, and only then a decoder. Decoders are called by class rather than through `PIL.Image.open`, so that no other
format's parser ever sees the bytes.
"""

from __future__ import annotations

import hashlib
import io
import struct
from dataclasses import dataclass

from PIL import Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from headshots.errors import InvalidPhotoError
from headshots.imaging.colour import to_upright_srgb
from headshots.imaging.cost import MAX_PROFILE_BYTES, Outline, affordable_draft, read_outline
from headshots.imaging.files.formats import DECODABLE, is_cut, sniff, webp_canvas
from headshots.imaging.files.heic import AVAILABLE as HEIC_AVAILABLE
from headshots.imaging.files.heic import HeicPicture
from headshots.imaging.files.jpeg import check_exif, holds_blocks
from headshots.imaging.files.png import holds_picture
from headshots.imaging.files.refusals import too_costly, truncated
from headshots.imaging.strips import Picture, scaled_size

# What Pillow's parsers raise on bytes made to break them: no common base class exists.
_PARSER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    ArithmeticError,
    AttributeError,
    RuntimeError,
    struct.error,
)


# A JPEG's block. Where the last one is partly beyond the edge, the one before it is looked at too.
_CORNER_PX = 8


@dataclass(frozen=True)
class PhotoLimits:
    """What a photo may be."""

    max_bytes: int = 20 * 1024 * 1024
    """Size of the upload in bytes, at most."""
    max_pixels: int = 64_000_000
    """Width x height that the header may promise; 48-megapixel phones pass."""
    min_side_px: int = 64
    """The shorter side, at least."""
    max_side_px: int = 2048
    """The longer side as stored; larger photos are scaled down to it: no foundation learns from more."""
    max_aspect: float = 4.0
    """The longer side by the shorter, at most: panoramas of phones pass, and what is scaled down stays a picture."""


@dataclass(frozen=True)
class NormalisedPhoto:
    """A photo as stored: upright, sRGB, 8 bits, three channels, no metadata."""

    png: bytes
    png_sha256: str
    """Of `png`, 64 lower-case hex digits; equal pictures have equal digests whatever file they came in."""
    sha256: str
    """Of the uploaded bytes."""
    width: int
    height: int


def decode_photo(data: bytes, limits: PhotoLimits = PhotoLimits()) -> NormalisedPhoto:
    """Decodes one upload. Deterministic; takes up to a second or so of CPU, so call it off the event loop.

    Raises:
        InvalidPhotoError: as `open_photo`.
    """
    upright = open_photo(data, limits)
    out = io.BytesIO()
    upright.save(out, "PNG", compress_level=6)
    png = out.getvalue()
    return NormalisedPhoto(
        png=png,
        png_sha256=hashlib.sha256(png).hexdigest(),
        sha256=hashlib.sha256(data).hexdigest(),
        width=upright.width,
        height=upright.height,
    )


def open_photo(data: bytes, limits: PhotoLimits = PhotoLimits()) -> Image.Image:
    """The picture as it would be stored: RGB, upright, at most `limits.max_side_px`. Off the event loop as well.

    Raises:
        InvalidPhotoError: PHOTO_TOO_LARGE, PHOTO_UNDECODABLE, PHOTO_UNSUPPORTED_FORMAT, PHOTO_ANIMATED,
            PHOTO_TOO_MANY_PIXELS, PHOTO_TRUNCATED, PHOTO_TOO_SMALL, PHOTO_TOO_NARROW or PHOTO_TOO_COSTLY; the message
            tells the cure.
    """
    format_name = _checked_format(data, limits)
    try:
        outline = read_outline(data, format_name)
        image = _open(data, format_name, limits)
        _check_animation(image, format_name)
        _check_size(image.size, limits)
        outline.check()
        _check_metadata(image)
        _reduce_while_decoding(image, outline, format_name, len(data), limits)
        image.load()
        _check_last_row(image, outline, data)
        _check_last_block(image, outline, data)
        return to_upright_srgb(image, limits.max_side_px)
    except InvalidPhotoError:
        raise
    except MemoryError as error:
        raise too_costly("decoding the photo ran out of the memory that a photo may take") from error
    except _PARSER_ERRORS as error:
        raise _broken(data, format_name, error) from error


def _checked_format(data: bytes, limits: PhotoLimits) -> str:
    if len(data) > limits.max_bytes:
        raise InvalidPhotoError(
            "PHOTO_TOO_LARGE",
            f"the photo has {len(data)} bytes, {limits.max_bytes} are allowed; save it smaller or as JPEG",
        )
    format_name = sniff(data)
    known = [name for name in DECODABLE if name != "HEIC" or HEIC_AVAILABLE]
    if format_name is None:
        raise InvalidPhotoError("PHOTO_UNDECODABLE", f"this is not an image; send {', '.join(known)}")
    if format_name not in known:
        raise InvalidPhotoError(
            "PHOTO_UNSUPPORTED_FORMAT", f"{format_name} is not supported; convert it to {', '.join(known)}"
        )
    return format_name


def _open(data: bytes, format_name: str, limits: PhotoLimits) -> Picture:
    """Parses the header; decodes nothing."""
    stream = io.BytesIO(data)
    if format_name == "JPEG":
        # Phones write JPEGs with a second picture behind the first (MPO); the factory gives the first.
        return JpegImagePlugin.jpeg_factory(stream)
    if format_name == "PNG":
        return PngImagePlugin.PngImageFile(stream)
    if format_name == "HEIC":
        return HeicPicture(data)
    canvas = webp_canvas(data)
    if canvas is None:
        raise ValueError("broken WebP header")
    _check_size(canvas, limits)
    return WebPImagePlugin.WebPImageFile(stream)


def _check_animation(image: Picture, format_name: str) -> None:
    # A JPEG's or HEIC's further pictures are thumbnails, depth maps or burst shots, never frames of a film.
    if format_name in ("PNG", "WebP") and getattr(image, "is_animated", False):
        raise InvalidPhotoError(
            "PHOTO_ANIMATED", "the picture is animated; send one still frame of it, best the original photo"
        )


def _check_size(size: tuple[int, int], limits: PhotoLimits) -> None:
    width, height = size
    if width * height > limits.max_pixels:
        raise InvalidPhotoError(
            "PHOTO_TOO_MANY_PIXELS",
            f"the photo has {width}x{height} pixels, {limits.max_pixels} in all are allowed; scale it down",
        )
    if min(width, height) < limits.min_side_px:
        raise InvalidPhotoError(
            "PHOTO_TOO_SMALL",
            f"the photo has {width}x{height} pixels, each side needs at least {limits.min_side_px}; "
            "send the original, not a thumbnail",
        )
    if max(size) > limits.max_aspect * min(size) or min(scaled_size(size, limits.max_side_px)) < limits.min_side_px:
        raise InvalidPhotoError(
            "PHOTO_TOO_NARROW",
            f"the photo has {width}x{height} pixels, its longer side may have {limits.max_aspect:g} times the shorter; "
            "cut it to the person",
        )


def _check_metadata(image: Picture) -> None:
    """Of what the header brings along, whatever the format."""
    check_exif(len(image.info.get("exif") or b""))
    profile_bytes = len(image.info.get("icc_profile") or b"")
    if profile_bytes > MAX_PROFILE_BYTES:
        raise too_costly(f"the colour profile has {profile_bytes} bytes, {MAX_PROFILE_BYTES} are allowed")


def _reduce_while_decoding(
    image: Picture, outline: Outline, format_name: str, file_bytes: int, limits: PhotoLimits
) -> None:
    """Has a JPEG decoded to a half, a quarter or an eighth of its sides, where the whole would not fit into memory."""
    draft = affordable_draft(outline, format_name, image.mode, image.size, file_bytes, limits.max_side_px)
    if draft > 1:
        assert isinstance(image, Image.Image)
        image.draft(None, (image.width // draft, image.height // draft))


def _check_last_row(image: Picture, outline: Outline, data: bytes) -> None:
    """A PNG whose packed data ends early is black from there on; unpacking it once more tells it from a black photo."""
    if outline.png is None:
        return
    row = outline.png.last_row
    if image.crop((0, row, image.size[0], row + 1)).getbbox() is not None:
        return
    if not holds_picture(data, outline.png.raw_bytes):
        raise truncated("PNG")


def _check_last_block(image: Picture, outline: Outline, data: bytes) -> None:
    """A JPEG whose coded data ends early is of one colour from there on; more data tells it from a plain corner."""
    if outline.jpeg is None or not outline.jpeg.data_end:
        return
    width, height = image.size
    corner = image.crop((max(width - _CORNER_PX, 0), max(height - _CORNER_PX, 0), width, height)).getextrema()
    ranges = corner if isinstance(corner[0], tuple) else (corner,)
    if all(low == high for low, high in ranges) and not holds_blocks(data, outline.jpeg.data_end):
        raise truncated("JPEG")


def _broken(data: bytes, format_name: str, error: Exception) -> InvalidPhotoError:
    if "truncated" in str(error).lower() or is_cut(data, format_name):
        return truncated(format_name)
    return InvalidPhotoError(
        "PHOTO_UNDECODABLE", f"the {format_name} file is damaged; open it in a viewer and save it anew"
    )
