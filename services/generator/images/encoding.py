"""Encodes pixels as image files, the same bytes every time: no times, fixed settings."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile
from PIL.PngImagePlugin import PngInfo

from services.generator.requests.request import DEFAULT_QUALITY

CONTENT_TYPES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}
_MOST_JPEG_BYTES_PER_PIXEL = 6
_PREVIEW_QUALITY = 70
_PREVIEW_ZOOM = 4


@dataclass(frozen=True)
class PreviewMap:
    """A latent cell [C] @ matrix [C, 3] + bias [3] is about its mean colour, 0 to 1."""

    matrix: Sequence[Sequence[float]]
    bias: Sequence[float]


def encode(pixels: npt.NDArray[np.uint8], extension: str, quality: int = DEFAULT_QUALITY, packet: bytes = b"") -> bytes:
    """A PNG, JPEG or WebP file of ``pixels``, uint8 [height, width, 3]; ``quality`` 1 to 100, not for PNG.

    ``packet``: XMP to put in; none where it is empty.
    """
    image = Image.fromarray(pixels)
    file = io.BytesIO()
    if extension == "png":
        # Of a photograph, 6 takes twice and more the time for half a percent less.
        image.save(file, "PNG", compress_level=4, pnginfo=_png_info(packet))
    elif extension == "jpg":
        # An optimized file has to fit into the buffer as a whole; for grain at high quality Pillow's own is too small.
        ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, _MOST_JPEG_BYTES_PER_PIXEL * image.width * image.height)
        # Full chroma resolution: skin and ties suffer from halved colour first.
        image.save(file, "JPEG", quality=quality, subsampling=0, optimize=True, xmp=packet)
    else:
        image.save(file, "WEBP", quality=quality, method=4, xmp=packet)
    return file.getvalue()


def _png_info(packet: bytes) -> PngInfo:
    info = PngInfo()
    if packet:
        info.add_itxt("XML:com.adobe.xmp", packet.decode())
    return info


def preview(latents_CHW: npt.NDArray[np.float32], colours: PreviewMap) -> bytes:
    """A small JPEG of a latent, four pixels a cell, without running the decoder. It is not marked as images are."""
    matrix, bias = np.asarray(colours.matrix, np.float32), np.asarray(colours.bias, np.float32)
    rgb = np.tensordot(latents_CHW, matrix, axes=(0, 0)) + bias
    small = Image.fromarray((np.clip(rgb, 0, 1) * 255).astype(np.uint8))
    large = small.resize((small.width * _PREVIEW_ZOOM, small.height * _PREVIEW_ZOOM), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    large.save(file, "JPEG", quality=_PREVIEW_QUALITY)
    return file.getvalue()
