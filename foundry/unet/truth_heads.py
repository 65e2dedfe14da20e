"""Reads the truth off the UNet's inner features while it trains, so that they come to hold it; dropped afterwards.

Representation alignment (arXiv 2410.06940) makes features like those of a pretrained encoder. The renderer knows better
than any encoder what a portrait shows: who it is, where the features of the face are, and what each cell shows.

Shapes: B rows, P parts, T traits.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from foundry.unet.drawing import PARTS
from foundry.unet.rows import Truth

_WIDTH = 256
# Landmarks are shares of the picture's side; faces move by about an eighth of it.
_LANDMARK_SCALE = 8.0
_PART_WEIGHT = 0.5


class TruthHeads(nn.Module):
    """Reads traits and landmarks off the middle block, and the parts off the first block on the way up."""

    def __init__(self, unet: UNet2DConditionModel, traits: int) -> None:
        """``traits``: how many numbers tell a person."""
        super().__init__()
        channels = int(unet.config["block_out_channels"][-1])
        side = int(unet.config["sample_size"]) // 2 ** (len(unet.config["block_out_channels"]) - 1)
        self.person = nn.Sequential(
            nn.Flatten(), nn.Linear(channels * side**2, _WIDTH), nn.SiLU(), nn.Linear(_WIDTH, traits + 10)
        )
        self.parts = nn.Conv2d(channels, PARTS, 1)
        self._seen: dict[str, Tensor] = {}
        # The UNet must not become a part of this module.
        for name, block in (("middle", unet.mid_block), ("up", unet.up_blocks[0])):
            block.register_forward_hook(self._keeper(name))

    def loss(self, truth: Truth, signal_B: Tensor) -> Tensor:
        """A scalar, of what the UNet's last call left. ``signal_B``: how much of each row is signal: it counts so."""
        # Taken out, so that the graph of one step does not live on into the next.
        middle, up = self._seen.pop("middle"), self._seen.pop("up")
        with torch.autocast(middle.device.type, torch.bfloat16):
            told, parts = self.person(middle), self.parts(up)
        wanted = torch.cat([((truth.landmarks_B52 - 0.5) * _LANDMARK_SCALE).flatten(1), truth.traits_BT], 1)
        person_B = (told.float() - wanted).square().mean(1)
        shown_BPHW = nn.functional.adaptive_avg_pool2d(truth.parts_BPHW, parts.shape[-2:])
        parts_B = -(shown_BPHW * parts.float().log_softmax(1)).sum(1).mean((1, 2))
        total: Tensor = (signal_B * (person_B + _PART_WEIGHT * parts_B)).sum() / signal_B.sum()
        return total

    def _keeper(self, name: str) -> Any:
        def keep(block: nn.Module, given: object, output: Tensor) -> None:
            self._seen[name] = output

        return keep
