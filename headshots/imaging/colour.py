"""Converts pictures of any mode, profile and orientation to 8-bit upright sRGB."""

from __future__ import annotations

import io
import logging

import numpy as np
from PIL import Image, ImageCms

from headshots.imaging.strips import Picture, scaled

_LOG = logging.getLogger(__name__)
_WHITE = (255, 255, 255)
# Which images an ICC profile of a colour space can describe.
_MODES_OF_SPACE = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}


def to_upright_srgb(image: Picture, max_side_px: int) -> Image.Image:
    """A new RGB image: profile and EXIF orientation applied, alpha flattened on white, at most `max_side_px`.

    Beside `image`, which has to be decoded and may be closed, it takes a strip's copies and 4 bytes for each pixel of
    a picture with the new width and the old height.
    """
    rgb = scaled(image, max_side_px, _Converter(image.info.get("icc_profile")).to_rgb)
    # From raw pixels, so that nothing of the upload's metadata can ride along.
    return Image.frombytes("RGB", rgb.size, rgb.tobytes())


class _Converter:
    """Makes the strips of one picture RGB; the profile is read once, for the first."""

    def __init__(self, profile: bytes | None) -> None:
        self._profile = profile
        self._transform: ImageCms.ImageCmsTransform | None = None

    def to_rgb(self, strip: Image.Image) -> Image.Image:
        """Its profile applied, what is transparent white."""
        colour, alpha = _split_alpha(strip)
        if self._profile:
            self._transform, self._profile = _transform(self._profile, colour.mode), None
        rgb = self._transform.apply(colour) if self._transform else colour.convert("RGB")
        if alpha is None:
            return rgb
        flat = Image.new("RGB", rgb.size, _WHITE)
        flat.paste(rgb, mask=alpha)
        return flat


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


def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From the embedded ICC profile to sRGB.

    A profile that is broken or of another colour space says nothing about the pixels, so the photo counts as
    untagged, as in browsers.
    """
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if _MODES_OF_SPACE.get(source.profile.xcolor_space) == mode:
            target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
            intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
            return ImageCms.ImageCmsTransform(source, target, mode, "RGB", intent)
    except (OSError, ImageCms.PyCMSError, ValueError) as error:
        _LOG.info("ignoring a broken colour profile: %s", error)
    return None
