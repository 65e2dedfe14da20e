"""Pixels become files whatever they show."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from services.generator.images.encoding import encode


@pytest.mark.parametrize("quality", [92, 95, 100])
def test_grain_at_a_high_quality_fits_into_a_jpeg(quality: int) -> None:
    noise_HWC = np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    with Image.open(io.BytesIO(encode(noise_HWC, "jpg", quality))) as image:
        assert image.size == (512, 512)
