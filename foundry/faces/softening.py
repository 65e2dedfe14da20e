"""Spoils renders as painting does: soft, in patches of eight pixels, parts slightly out of place.

A UNet paints in latents of 8 x 8 pixels. What it gets wrong is wrong by patches: fine detail is missing or invented
there. Shapes: B pictures [B, 3, H, W] in -1..1, H and W multiples of 8; P points in units of the picture's side.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

PATCH = 8
_BENDS = 5  # places a side that move by themselves


def cosines() -> Tensor:
    """The orthonormal DCT-II of PATCH values, [PATCH, PATCH], a frequency a row."""
    place = torch.arange(PATCH)
    waves: Tensor = torch.cos(math.pi / PATCH * (place[None, :] + 0.5) * place[:, None]) * (2 / PATCH) ** 0.5
    waves[0] = PATCH**-0.5
    return waves


def as_painted(pixels_BCHW: Tensor, generator: torch.Generator, share: float = 0.5) -> Tensor:
    """Each row with probability `share` keeps the 3 to 7 lowest diagonals of its patches' frequencies, with noise."""
    rows, channels, height, width = pixels_BCHW.shape
    waves = cosines()
    patches = pixels_BCHW.reshape(rows, channels, height // PATCH, PATCH, width // PATCH, PATCH)
    coefficients = torch.einsum("bchiwj,ui,vj->bchuwv", patches, waves, waves)
    order = torch.arange(PATCH)[:, None] + torch.arange(PATCH)[None, :]
    kept = torch.randint(3, 8, (rows, 1, 1), generator=generator) > order[None]
    noise = torch.randn(coefficients.shape, generator=generator)
    strength = torch.rand(rows, 1, 1, 1, 1, 1, generator=generator) * 0.1
    painted = (coefficients + noise * strength) * kept[:, None, None, :, None, :]
    back = torch.einsum("bchuwv,ui,vj->bchiwj", painted, waves, waves).reshape(pixels_BCHW.shape)
    chosen = torch.rand(rows, 1, 1, 1, generator=generator) < share
    return torch.where(chosen, back.clamp(-1, 1), pixels_BCHW)


def bent(
    pixels_BCHW: Tensor, points_BP2: Tensor, generator: torch.Generator, strength: float = 0.012
) -> tuple[Tensor, Tensor]:
    """Pictures whose parts moved a little against each other, up to some three times `strength` of the side; with them
    their points. So whoever learns from them finds parts where they are and not where faces have them.
    """
    rows, _, height, width = pixels_BCHW.shape
    coarse = torch.randn(rows, 2, _BENDS, _BENDS, generator=generator) * strength
    away = nn.functional.interpolate(coarse, (height, width), mode="bicubic", align_corners=True)
    still = torch.eye(2, 3).expand(rows, 2, 3)
    grid = nn.functional.affine_grid(still, [rows, 1, height, width], align_corners=False)
    pixels = nn.functional.grid_sample(
        pixels_BCHW, grid + 2 * away.permute(0, 2, 3, 1), padding_mode="border", align_corners=False
    )
    # A pixel shows what was `away` from it, so a point goes the other way: to first order as far as at its old place.
    moved = points_BP2
    for _ in range(2):
        at = nn.functional.grid_sample(away, 2 * moved[:, None] - 1, padding_mode="border", align_corners=False)
        moved = points_BP2 - at[:, :, 0].transpose(1, 2)
    return pixels, moved
