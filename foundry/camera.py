"""Disturbs pictures as light, focus, size, noise and another model do between the renderer and an analyzer.

Generated portraits are softer than rendered ones and their colours drift; phones add noise. All on batches
[B, 3, H, W] in -1..1, a row each at its own strength, from the given generator alone.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def as_camera_sees(pixels_BCHW: Tensor, generator: torch.Generator) -> Tensor:
    """Exposure, contrast, tint and noise; a third each are out of focus, shrunk and enlarged, as sharp as before."""
    rows, device = len(pixels_BCHW), pixels_BCHW.device

    def uniform(low: float, high: float, channels: int = 1) -> Tensor:
        values = torch.rand(rows, channels, 1, 1, generator=generator) * (high - low) + low
        return values.to(device)

    seen = (pixels_BCHW + 1) * uniform(0.82, 1.15) * uniform(0.94, 1.06, 3) - 1
    seen = (seen - seen.mean((1, 2, 3), keepdim=True)) * uniform(0.88, 1.1) + seen.mean((1, 2, 3), keepdim=True)
    fate = uniform(0, 1)
    amount = uniform(0.2, 1)
    soft = nn.functional.avg_pool2d(seen, 3, 1, 1, count_include_pad=False)
    small = shrunk_and_enlarged(seen, float(0.35 + 0.55 * torch.rand(1, generator=generator)))
    seen = torch.where(fate < 0.33, seen + amount * (soft - seen), torch.where(fate < 0.6, small, seen))
    noise = torch.randn(seen.shape, generator=generator).to(device)
    return (seen + noise * uniform(0, 0.06)).clamp(-1, 1)


def shrunk_and_enlarged(pixels_BCHW: Tensor, scale: float) -> Tensor:
    """What is left of a face that was smaller in its picture."""
    size = pixels_BCHW.shape[-2:]
    small = nn.functional.interpolate(
        pixels_BCHW, scale_factor=scale, mode="bilinear", antialias=True, align_corners=False
    )
    return nn.functional.interpolate(small, size=size, mode="bilinear", align_corners=False)
