"""Converts pictures of any mode, profile and orientation to 8-bit upright sRGB."""

from __future__ import annotations

import io
import logging
import struct

import numpy as np
from PIL import Image, ImageCms, ImageOps

_LOG = logging.getLogger(__name__)
_WHITE = (255, 255, 255)
# Which images an ICC profile of a colour space can describe.
_MODES_OF_SPACE = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}


def to_upright_srgb(image: Image.Image, max_side_px: int) -> Image.Image:
    """A new RGB image: profile and EXIF orientation applied, alpha flattened on white, at most `max_side_px`."""
    profile = image.info.get("icc_profile")
    colour, alpha = _split_alpha(_upright(image))
    rgb = _apply_profile(colour, profile) if profile else colour.convert("RGB")
    if alpha is not None:
        flat = Image.new("RGB", rgb.size, _WHITE)
        flat.paste(rgb, mask=alpha)
        rgb = flat
    rgb.thumbnail((max_side_px, max_side_px), Image.Resampling.LANCZOS)
    # From raw pixels, so that nothing of the upload's metadata can ride along.
    return Image.frombytes("RGB", rgb.size, rgb.tobytes())


def _upright(image: Image.Image) -> Image.Image:
    """Turned as EXIF says. EXIF that cannot be read says nothing, and the pixels are sound: no reason to refuse."""
    try:
        return ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, TypeError, LookupError, struct.error) as error:
        _LOG.info("ignoring broken EXIF: %s", error)
        return image


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """(an L, RGB or CMYK image, its 8-bit alpha or None)."""
    if image.mode.startswith("I"):
        return _from_16_bits(image), None
    if image.mode == "LA":
        return image.getchannel("L"), image.getchannel("A")
    if image.mode in ("PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        return rgba.convert("RGB"), rgba.getchannel("A")
    if image.mode in ("1", "L"):
        return image.convert("L"), None
    return (image if image.mode in ("RGB", "CMYK") else image.convert("RGB")), None


def _from_16_bits(image: Image.Image) -> Image.Image:
    """16-bit grey -> 8-bit grey. Pillow's own conversion clips at 255 instead of scaling."""
    grey_HW = np.asarray(image, dtype=np.int64)
    return Image.fromarray(((grey_HW + 128) // 257).clip(0, 255).astype(np.uint8))


def _apply_profile(colour: Image.Image, profile: bytes) -> Image.Image:
    """Through the embedded ICC profile.

    A profile that is broken or of another colour space says nothing about the pixels, so the photo counts as
    untagged, as in browsers.
    """
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if _MODES_OF_SPACE.get(source.profile.xcolor_space) == colour.mode:
            converted = ImageCms.profileToProfile(
                colour,
                source,
                ImageCms.createProfile("sRGB"),
                renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                outputMode="RGB",
            )
            if converted is not None:
                return converted
    except (OSError, ImageCms.PyCMSError) as error:
        _LOG.info("ignoring a broken colour profile: %s", error)
    return colour.convert("RGB")
