"""Encodes pixels as image files, the same bytes every time: no times, no software names, fixed settings."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from services.generator.requests.request import DEFAULT_QUALITY

CONTENT_TYPES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}
_PREVIEW_QUALITY = 70
_PREVIEW_ZOOM = 4


@dataclass(frozen=True)
class PreviewMap:
    """A latent cell [C] @ matrix [C, 3] + bias [3] is about its mean colour, 0 to 1."""

    matrix: Sequence[Sequence[float]]
    bias: Sequence[float]


def encode(pixels: npt.NDArray[np.uint8], extension: str, quality: int = DEFAULT_QUALITY) -> bytes:
    """A PNG, JPEG or WebP file of ``pixels``, uint8 [height, width, 3]; ``quality`` 1 to 100, not for PNG."""
    image = Image.fromarray(pixels)
    file = io.BytesIO()
    if extension == "png":
        image.save(file, "PNG", compress_level=6)
    elif extension == "jpg":
        # Full chroma resolution: skin and ties suffer from halved colour first.
        image.save(file, "JPEG", quality=quality, subsampling=0, optimize=True)
    else:
        image.save(file, "WEBP", quality=quality, method=4)
    return file.getvalue()


def preview(latents_CHW: npt.NDArray[np.float32], colours: PreviewMap) -> bytes:
    """A small JPEG of a latent, four pixels a cell, without running the decoder."""
    matrix, bias = np.asarray(colours.matrix, np.float32), np.asarray(colours.bias, np.float32)
    rgb = np.tensordot(latents_CHW, matrix, axes=(0, 0)) + bias
    small = Image.fromarray((np.clip(rgb, 0, 1) * 255).astype(np.uint8))
    large = small.resize((small.width * _PREVIEW_ZOOM, small.height * _PREVIEW_ZOOM), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    large.save(file, "JPEG", quality=_PREVIEW_QUALITY)
    return file.getvalue()
