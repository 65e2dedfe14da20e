"""Defines the nets that measure: a probe that reads a portrait's attributes, and an embedder that tells people apart.

Both see renders only. Shapes: B pictures [B, 3, 128, 128] in -1..1, D embedding width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

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


class _Residual(nn.Module):
    """Two 3 x 3 convolutions around a shortcut, halving the size where the stride is 2."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(after), nn.BatchNorm2d(after)])
        self.shortcut = nn.Conv2d(before, after, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.relu(self.norms[0](self.first(x)))
        return torch.relu(self.norms[1](self.second(hidden)) + self.shortcut(x))


def _trunk(width: int, pixels: int) -> nn.Sequential:
    """From [B, 3, pixels, pixels] to a feature map of 4 * width channels, then its flat 4 x 4 summary."""
    stem = nn.Conv2d(3, width, 5, 2, 2)
    return nn.Sequential(
        stem,
        nn.ReLU(),
        _Residual(width, width * 2, 2),
        _Residual(width * 2, width * 3, 2),
        _Residual(width * 3, width * 4, 2 if pixels >= 96 else 1),
        nn.AdaptiveAvgPool2d(4),
        nn.Flatten(),
        nn.Dropout(0.2),
    )


class Probe(nn.Module):
    """Logits of every attribute, from the picture at half its resolution."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.trunk = _trunk(width, 64)
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


class Embedder(nn.Module):
    """Unit vectors [B, D]: near for one person, far for two. Looks at the middle 96 x 96 pixels, where faces are."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.trunk = _trunk(width, 96)
        self.project = nn.Linear(width * 4 * 16, EMBEDDING_WIDTH)

    def forward(self, pixels_BCHW: Tensor) -> Tensor:
        face = pixels_BCHW[..., 8:104, 16:112]
        return nn.functional.normalize(self.project(self.trunk(face)), dim=1)


@dataclass(frozen=True)
class Judges:
    """Both nets, and the similarity from which two pictures count as one person."""

    probe: Probe
    embedder: Embedder
    same_person_from: float
