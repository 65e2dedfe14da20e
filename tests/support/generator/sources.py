"""Source images, masks and noise for tests of the generator, as requests carry them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from headshots.v1 import generator_pb2 as pb

Pixels = npt.NDArray[np.uint8]
SIZE = 64


def picture(width: int = SIZE, height: int = SIZE) -> Pixels:
    """Something with edges and slopes."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 255 // width, y * 255 // height, (x // 8 + y // 8) % 2 * 200], axis=-1).astype(np.uint8)


def half_mask() -> Pixels:
    """The right half is repainted, and a corner that no cell boundary meets."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[:, SIZE // 2 :] = 255
    mask[40:, :13] = 200
    return mask


def file_of(pixels: Pixels, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def source(pixels: Pixels, mask: Pixels | None = None, **more: Any) -> pb.Source:
    made = pb.Source(picture=pb.Picture(content=file_of(pixels)), **more)
    if mask is not None:
        made.mask.content = file_of(mask)
    return made


def noise(seed: int, images: int = 1, size: int = SIZE) -> bytes:
    """What `torch.Generator().manual_seed(seed)` gives a stock pipeline: not the noise of any seed of ours."""
    drawn = torch.randn((images, 4, size // 8, size // 8), generator=torch.Generator().manual_seed(seed))
    return drawn.numpy().astype("<f4").tobytes()
