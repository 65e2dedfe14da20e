"""Defines the nets of the bundled analyzer: one finds faces and their parts, one tells people apart, one finds points.

Neither shares a layer, a seed or a person with `foundry.judges`, whose embedder judges the benchmarks: the judge turns
faces upright by 24 points that a net of its own finds, looks through residual pairs with ReLU and learned by another
loss; this embedder goes by the detector's five landmarks, looks through single convolutions with SiLU, and learned from
all traits.

Shapes: B pictures, CELLS x CELLS cells of STRIDE pixels, G = 14 geometry values a cell, P parts, D embedding width,
K points of a face.
"""

from __future__ import annotations

from torch import Tensor, nn

from foundry.faces.landmarker import centres
from foundry.portraits import POINTS
from headshots.faces.base import LANDMARKS, Part
from headshots.faces.geometry import CROP

GEOMETRY = 4 + 2 * len(LANDMARKS)
EMBEDDING_WIDTH = 128


class _Block(nn.Sequential):
    """3 x 3 convolution, batch norm, SiLU."""

    def __init__(self, before: int, after: int, stride: int = 1, kernel: int = 3) -> None:
        super().__init__(
            nn.Conv2d(before, after, kernel, stride, (kernel - 1) // 2, bias=False), nn.BatchNorm2d(after), nn.SiLU()
        )


class _Shortcut(nn.Module):
    """A block beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = _Block(width, width)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = x + self.block(x)
        return found


class Detector(nn.Module):
    """Pixels [B, 3, SIDE, SIDE] in -1..1 to faces a cell and parts a pixel.

    Returns heat logits [B, CELLS, CELLS], geometry [B, G, CELLS, CELLS] (centre offset in cells, log of width and
    height over SIZE_UNIT, landmarks relative to the box's centre in box widths and heights) and logits of the parts,
    [B, P, SIDE / 2, SIDE / 2].
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        w = width
        self.down_half = _Block(3, w, 2)
        self.down_quarter = nn.Sequential(_Block(w, w * 2, 2), _Shortcut(w * 2))
        self.down_eighth = nn.Sequential(_Block(w * 2, w * 4, 2), _Shortcut(w * 4))
        self.down_sixteenth = nn.Sequential(_Block(w * 4, w * 6, 2), _Shortcut(w * 6), _Shortcut(w * 6))
        self.to_eighth = nn.Conv2d(w * 6, w * 4, 1)
        self.at_eighth = _Block(w * 4, w * 4)
        self.to_quarter = nn.Conv2d(w * 4, w * 2, 1)
        self.at_quarter = _Block(w * 2, w * 3)
        self.heat = nn.Conv2d(w * 3, 1, 1)
        self.geometry = nn.Sequential(_Block(w * 3, w * 3), nn.Conv2d(w * 3, GEOMETRY, 1))
        self.to_half = nn.Conv2d(w * 3, w, 1)
        self.parts = nn.Sequential(_Block(w, w), nn.Conv2d(w, len(Part), 1))
        nn.init.constant_(self.heat.bias, -4.0)  # type: ignore[arg-type]  # few cells hold a face

    def forward(self, pixels_BCHW: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        half = self.down_half(pixels_BCHW)
        quarter = self.down_quarter(half)
        eighth = self.down_eighth(quarter)
        deep = self.down_sixteenth(eighth)
        eighth = self.at_eighth(eighth + _twice(self.to_eighth(deep)))
        quarter = self.at_quarter(quarter + _twice(self.to_quarter(eighth)))
        parts = self.parts(half + _twice(self.to_half(quarter)))
        return self.heat(quarter)[:, 0], self.geometry(quarter), parts


def _twice(x: Tensor) -> Tensor:
    return nn.functional.interpolate(x, scale_factor=2, mode="nearest")


class FaceEmbedder(nn.Module):
    """Aligned faces [B, 3, CROP, CROP] in -1..1 to unit vectors [B, D]; `features` are those before scaling."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        w = width
        self.trunk = nn.Sequential(
            _Block(3, w, 2, kernel=5),
            _Block(w, w * 2, 2),
            _Shortcut(w * 2),
            _Block(w * 2, w * 3, 2),
            _Shortcut(w * 3),
            _Block(w * 3, w * 4, 2),
            _Shortcut(w * 4),
            nn.Flatten(),
            nn.Dropout(0.1),
        )
        self.project = nn.Linear(w * 4 * (CROP // 16) ** 2, EMBEDDING_WIDTH, bias=False)
        self.norm = nn.BatchNorm1d(EMBEDDING_WIDTH, affine=False)

    def features(self, faces_BCHW: Tensor) -> Tensor:
        found: Tensor = self.norm(self.project(self.trunk(faces_BCHW)))
        return found

    def forward(self, faces_BCHW: Tensor) -> Tensor:
        return nn.functional.normalize(self.features(faces_BCHW), dim=1)


class PointFinder(nn.Module):
    """Aligned faces [B, 3, CROP, CROP] in -1..1 to `foundry.portraits.POINTS`, [B, K, 2] in pixels of the crop.

    `maps` are logits of where each is, at half of the crop's size; a point is the centre of mass of its map.
    """

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        w = width
        self.down_half = nn.Sequential(_Block(3, w, 2, kernel=5), _Shortcut(w))
        self.down_quarter = nn.Sequential(_Block(w, w * 2, 2), _Shortcut(w * 2))
        self.down_eighth = nn.Sequential(_Block(w * 2, w * 5, 2), _Shortcut(w * 5), _Shortcut(w * 5))
        self.to_quarter = nn.Conv2d(w * 5, w * 2, 1)
        self.at_quarter = _Block(w * 2, w * 2)
        self.to_half = nn.Conv2d(w * 2, w, 1)
        self.at_half = _Block(w, w)
        self.where = nn.Conv2d(w, len(POINTS), 1)

    def maps(self, faces_BCHW: Tensor) -> Tensor:
        half = self.down_half(faces_BCHW)
        quarter = self.down_quarter(half)
        deep = self.down_eighth(quarter)
        quarter = self.at_quarter(quarter + _twice(self.to_quarter(deep)))
        found: Tensor = self.where(self.at_half(half + _twice(self.to_half(quarter))))
        return found

    def forward(self, faces_BCHW: Tensor) -> Tensor:
        return centres(self.maps(faces_BCHW))[0] * CROP


class TraitReader(nn.Module):
    """Reads who the renderer drew out of an embedder's features; only training needs it."""

    def __init__(self, traits: int) -> None:
        super().__init__()
        self.read = nn.Linear(EMBEDDING_WIDTH, traits)

    def forward(self, features_BD: Tensor) -> Tensor:
        found: Tensor = self.read(features_BD)
        return found
