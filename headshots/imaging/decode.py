"""Decodes an uploaded photo to an upright sRGB picture without metadata, or refuses it with a precise reason.

The order is the defence: size of the upload, format by its signature, pixels by the header, and only then a
decoder. Decoders are called by class rather than through `PIL.Image.open`, so that no other format's parser ever
sees the bytes.
"""

from __future__ import annotations

import hashlib
import io
import struct
from dataclasses import dataclass

from PIL import Image, ImageFile, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from headshots.errors import InvalidPhotoError
from headshots.imaging.colour import to_upright_srgb
from headshots.imaging.formats import DECODABLE, is_cut, sniff, webp_canvas

try:  # HEIC needs libheif, which `pillow-heif` brings; without it HEIC is one more unsupported format.
    from pillow_heif import HeifImageFile
except ImportError:  # pragma: no cover
    HeifImageFile = None

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
            PHOTO_TOO_MANY_PIXELS, PHOTO_TRUNCATED or PHOTO_TOO_SMALL; the message tells the cure.
    """
    format_name = _checked_format(data, limits)
    try:
        image = _open(data, format_name, limits)
        _check_animation(image, format_name)
        _check_size(image.size, limits)
        image.load()
        return to_upright_srgb(image, limits.max_side_px)
    except InvalidPhotoError:
        raise
    except _PARSER_ERRORS as error:
        raise _broken(data, format_name, error) from error


def _checked_format(data: bytes, limits: PhotoLimits) -> str:
    if len(data) > limits.max_bytes:
        raise InvalidPhotoError(
            "PHOTO_TOO_LARGE",
            f"the photo has {len(data)} bytes, {limits.max_bytes} are allowed; save it smaller or as JPEG",
        )
    format_name = sniff(data)
    known = [name for name in DECODABLE if name != "HEIC" or HeifImageFile is not None]
    if format_name is None:
        raise InvalidPhotoError("PHOTO_UNDECODABLE", f"this is not an image; send {', '.join(known)}")
    if format_name not in known:
        raise InvalidPhotoError(
            "PHOTO_UNSUPPORTED_FORMAT", f"{format_name} is not supported; convert it to {', '.join(known)}"
        )
    return format_name


def _open(data: bytes, format_name: str, limits: PhotoLimits) -> ImageFile.ImageFile:
    """Parses the header; decodes nothing."""
    stream = io.BytesIO(data)
    if format_name == "JPEG":
        # Phones write JPEGs with a second picture behind the first (MPO); the factory gives the first.
        return JpegImagePlugin.jpeg_factory(stream)
    if format_name == "PNG":
        return PngImagePlugin.PngImageFile(stream)
    if format_name == "HEIC":
        image: ImageFile.ImageFile = HeifImageFile(stream)
        return image
    canvas = webp_canvas(data)
    if canvas is None:
        raise ValueError("broken WebP header")
    _check_size(canvas, limits)
    return WebPImagePlugin.WebPImageFile(stream)


def _check_animation(image: ImageFile.ImageFile, format_name: str) -> None:
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


def _broken(data: bytes, format_name: str, error: Exception) -> InvalidPhotoError:
    if "truncated" in str(error).lower() or is_cut(data, format_name):
        return InvalidPhotoError(
            "PHOTO_TRUNCATED", f"the {format_name} file ends before the picture does; upload it again in whole"
        )
    return InvalidPhotoError(
        "PHOTO_UNDECODABLE", f"the {format_name} file is damaged; open it in a viewer and save it anew"
    )
