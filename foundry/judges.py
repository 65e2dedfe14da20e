"""Defines the nets that measure: a probe reads a portrait's attributes, a landmarker finds the face's parts, and an
embedder tells people apart by the face that the landmarker turned upright.

All see renders only. Shapes: B pictures [B, 3, 128, 128] in -1..1, P points of `foundry.portraits.POINTS`, D embedding
width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from foundry.faces.blocks import Residual
from foundry.faces.landmarker import CROP, Landmarker, upright
from foundry.portraits import BACKDROPS, HAIR_COLOURS, LIGHTS, OUTFITS, Identity, Scene

EMBEDDING_WIDTH = 96
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "outfit": OUTFITS,
    "backdrop": BACKDROPS,
    "light": LIGHTS,
    "glasses": ("no glasses", "glasses"),
    "beard": ("no beard", "a beard"),
    "hair": HAIR_COLOURS,
}


def labels(identity: Identity, scene: Scene) -> list[int]:
    """The true class of each attribute, in the order of ATTRIBUTES."""
    return [
        OUTFITS.index(scene.outfit),
        BACKDROPS.index(scene.backdrop),
        LIGHTS.index(scene.light),
        int(identity.glasses != "none"),
        int(identity.beard != "none"),
        HAIR_COLOURS.index(identity.hair_colour),
    ]


class Probe(nn.Module):
    """Logits of every attribute, from the picture at half its resolution."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(3, width, 5, 2, 2),
            nn.ReLU(),
            Residual(width, width * 2, 2),
            Residual(width * 2, width * 3, 2),
            Residual(width * 3, width * 4),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
            nn.Dropout(0.2),
        )
        self.heads = nn.ModuleList([nn.Linear(width * 4 * 16, len(names)) for names in ATTRIBUTES.values()])

    def forward(self, pixels_BCHW: Tensor) -> list[Tensor]:
        features = self.trunk(nn.functional.avg_pool2d(pixels_BCHW, 2))
        return [head(features) for head in self.heads]

    @torch.no_grad()
    def answers(self, pixels_BCHW: Tensor) -> dict[str, list[str]]:
        """Each attribute's most likely name, a picture each."""
        found = [logits.argmax(1).tolist() for logits in self(pixels_BCHW)]
        return {
            attribute: [names[index] for index in indices]
            for (attribute, names), indices in zip(ATTRIBUTES.items(), found, strict=True)
        }


class CropEmbedder(nn.Module):
    """Upright faces [B, 3, CROP, CROP] to unit vectors [B, D]; `features` are those before scaling."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(3, width, 5, 2, 2),
            nn.ReLU(),
            Residual(width, width * 2, 2),
            Residual(width * 2, width * 3, 2),
            Residual(width * 3, width * 4, 2),
            nn.Flatten(),
            nn.Dropout(0.1),
        )
        self.project = nn.Linear(width * 4 * (CROP // 16) ** 2, EMBEDDING_WIDTH, bias=False)
        self.norm = nn.BatchNorm1d(EMBEDDING_WIDTH, affine=False)

    def features(self, crops_BCHW: Tensor) -> Tensor:
        found: Tensor = self.norm(self.project(self.trunk(crops_BCHW)))
        return found

    def forward(self, crops_BCHW: Tensor) -> Tensor:
        return nn.functional.normalize(self.features(crops_BCHW), dim=1)


class Embedder(nn.Module):
    """Pictures to unit vectors [B, D]: near for one person, far for two, look-alikes too."""

    def __init__(self, landmarker: Landmarker | None = None, crops: CropEmbedder | None = None) -> None:
        super().__init__()
        self.landmarker = landmarker or Landmarker()
        self.crops = crops or CropEmbedder()

    def forward(self, pixels_BCHW: Tensor) -> Tensor:
        found: Tensor = self.crops(upright(pixels_BCHW, self.landmarker(pixels_BCHW)))
        return found


@dataclass(frozen=True)
class Judges:
    """The nets, and the similarity from which two pictures count as one person.

    `same_person_from` is what one pair of strangers in 10,000 reaches. Strangers who look alike reach it more often;
    `judges.json` tells how often, and from where one pair of them in 10,000 does.
    """

    probe: Probe
    embedder: Embedder
    same_person_from: float

    @property
    def landmarker(self) -> Landmarker:
        """[B, 3, 128, 128] to POINTS [B, P, 2] in units of the picture's side, 0..1; the embedder's own."""
        return self.embedder.landmarker
