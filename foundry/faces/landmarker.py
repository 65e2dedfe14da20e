"""Finds the parts of a face in a portrait, and turns the face upright by them.

A small U-net (Ronneberger et al., arXiv 1505.04597) gives a map a point; the point is the map's centre of mass
(integral regression, Sun et al., arXiv 1711.08229), so it is finer than a cell.

Shapes: B pictures [B, 3, 128, 128] in -1..1, P points, CELLS x CELLS cells.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from foundry.faces.blocks import Residual
from foundry.portraits import POINTS

SIDE = 128
CELLS = 64
CROP = 96
# Where POINTS stand in an upright crop, pixels: the mean face of the drawn world looking straight ahead, 1.4 times as
# large as that world draws it, with its chin and most of its hair in the crop.
_EYE = ((-8.2, 43.0), (8.3, 43.0), (0.0, 35.2), (0.0, 48.2), (0.0, 42.0))
_BROW = ((43.4, 31.4), (31.9, 27.8), (22.1, 32.0))
TEMPLATE = torch.tensor(
    [
        *((33.3 + x, y) for x, y in _EYE),
        *((62.7 + x, y) for x, y in _EYE),
        *_BROW,
        *((CROP - x, y) for x, y in _BROW),
        *((41.1, 55.0), (48.0, 60.5), (54.9, 55.0)),
        *((33.8, 67.8), (62.2, 67.8), (48.0, 66.6), (48.0, 75.7)),
        (48.0, 90.4),
    ]
)


class Landmarker(nn.Module):
    """Pixels to POINTS [B, P, 2], x and y in units of the picture's side: 0..1."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        w = width
        self.stem = nn.Sequential(nn.Conv2d(3, w, 5, 2, 2, bias=False), nn.BatchNorm2d(w), nn.ReLU(), Residual(w, w))
        self.down = nn.ModuleList(
            [
                Residual(w, w * 2, 2),
                Residual(w * 2, w * 4, 2),
                nn.Sequential(Residual(w * 4, w * 6, 2), Residual(w * 6, w * 6)),
            ]
        )
        self.across = nn.ModuleList([nn.Conv2d(w * 6, w * 4, 1), nn.Conv2d(w * 4, w * 2, 1), nn.Conv2d(w * 2, w, 1)])
        self.up = nn.ModuleList([Residual(w * 4, w * 4), Residual(w * 2, w * 2), Residual(w, w)])
        self.maps = nn.Conv2d(w, len(POINTS), 1)

    def logits(self, pixels_BCHW: Tensor) -> Tensor:
        """The maps before they are made shares: [B, P, CELLS, CELLS].

        Raises:
            ValueError: pictures of another size.
        """
        if pixels_BCHW.shape[-2:] != (SIDE, SIDE):
            raise ValueError(
                f"pictures must be {SIDE} x {SIDE} pixels, not {tuple(pixels_BCHW.shape[-2:])}: resize them"
            )
        x = self.stem(pixels_BCHW)
        finer = []
        for down in self.down:
            finer.append(x)
            x = down(x)
        for across, up in zip(self.across, self.up, strict=True):
            x = up(finer.pop() + nn.functional.interpolate(across(x), scale_factor=2, mode="bilinear"))
        found: Tensor = self.maps(x)
        return found

    def located(self, pixels_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        """POINTS [B, P, 2] and how far their maps spread [B, P] (standard deviation); in sides of the picture."""
        return centres(self.logits(pixels_BCHW))

    def forward(self, pixels_BCHW: Tensor) -> Tensor:
        return self.located(pixels_BCHW)[0]


def centres(logits_BPCC: Tensor) -> tuple[Tensor, Tensor]:
    """Centres of mass [B, P, 2] and spreads [B, P] of maps, in units of a map's side."""
    cells = logits_BPCC.shape[-1]
    shares = logits_BPCC.float().flatten(2).softmax(2).view(*logits_BPCC.shape[:3], cells)
    place = (torch.arange(cells, device=logits_BPCC.device) + 0.5) / cells
    across, along = shares.sum(2), shares.sum(3)
    points = torch.stack([across @ place, along @ place], 2)
    squares = torch.stack([across @ place**2, along @ place**2], 2)
    spread = (squares - points**2).clamp_min(0).sum(2).sqrt()
    return points, spread


def upright(pixels_BCHW: Tensor, points_BP2: Tensor) -> Tensor:
    """Faces [B, 3, CROP, CROP], turned, scaled and moved so that their points are nearest to TEMPLATE (least squares).

    Args:
        pixels_BCHW: square pictures of any size.
        points_BP2: in units of the picture's side. What lies outside of the picture repeats its edge.
    """
    template = torch.view_as_complex(TEMPLATE.to(points_BP2).contiguous())
    points = torch.view_as_complex(points_BP2.float().contiguous())
    away = template - template.mean()
    middle = points.mean(1)
    turn = (away.conj() * (points - middle[:, None])).sum(1) / (away.abs() ** 2).sum()
    # affine_grid counts from -1 to 1 on both sides: crop pixel c is (u + 1) * CROP / 2, picture place p is (v + 1) / 2.
    scale = turn * CROP
    shift = 2 * (middle + turn * (CROP / 2 * (1 + 1j) - template.mean())) - (1 + 1j)
    rows = torch.stack([scale.real, -scale.imag, shift.real, scale.imag, scale.real, shift.imag], 1)
    shape = [len(points), pixels_BCHW.shape[1], CROP, CROP]
    grid = nn.functional.affine_grid(rows.view(-1, 2, 3), shape, align_corners=False)
    return nn.functional.grid_sample(pixels_BCHW, grid.to(pixels_BCHW), padding_mode="border", align_corners=False)
