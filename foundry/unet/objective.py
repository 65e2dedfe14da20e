"""Weighs what the UNet learns: which cells and channels of a portrait count, and what its features must tell.

Shapes: B rows, C channels, H x W cells, E context width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextModel

from foundry.diffusion import alphas_cumprod, diffusion_loss
from foundry.unet.face_cells import eye_cells, mouth_cells
from foundry.unet.rows import Rows, Truth
from foundry.unet.truth_heads import TruthHeads
from headshots.faces.base import Part


@dataclass(frozen=True, slots=True)
class Emphasis:
    """What counts beside the plain mean. All zero: nothing does.

    ``face``, ``features``: how much more the head's cells, and those of eyes and mouth, count than the backdrop's.
    ``eye_channels``: channels count by their `eye_variance` to this power. ``truth``: weight of `TruthHeads.loss`.
    """

    face: float = 0.0
    features: float = 0.0
    eye_channels: float = 0.0
    truth: float = 0.0

    def __post_init__(self) -> None:
        for name in ("face", "features", "eye_channels", "truth"):
            if getattr(self, name) < 0:
                raise ValueError(f"--{name.replace('_', '-')}-weight is {getattr(self, name)}; it starts at 0")

    @property
    def needs_truth(self) -> bool:
        """Whether rows have to know what their portraits show."""
        return any((self.face, self.features, self.eye_channels, self.truth))


class UNetObjective:
    """The loss of one step's rows."""

    def __init__(
        self,
        unet: UNet2DConditionModel,
        text: CLIPTextModel,
        emphasis: Emphasis,
        heads: TruthHeads | None,
        channel_weights_C: Tensor,
        device: torch.device,
    ) -> None:
        """``unet``: compiled or not. ``heads``: on the same UNet; None where ``emphasis.truth`` is 0."""
        assert (heads is None) == (emphasis.truth == 0)
        self._unet, self._text, self._emphasis, self._heads = unet, text, emphasis, heads
        self._channels_C11 = channel_weights_C[:, None, None].to(device)
        self._alphas = alphas_cumprod().to(device)
        self._device = device

    def loss(self, rows: Rows, generator: torch.Generator) -> Tensor:
        """A scalar to take the gradient of.

        Raises:
            ValueError: something of the truth counts, and these rows do not have it.
        """
        if self._emphasis.needs_truth and rows.truth is None:
            raise ValueError("only portraits drawn while training have a known truth to weigh by; add --fresh")
        context = self._text(rows.ids_BL.to(self._device)).last_hidden_state
        counts = None
        if rows.truth is not None and self._emphasis.needs_truth:
            counts = cell_weights(rows.truth, self._emphasis).to(self._device)[:, None] * self._channels_C11
        latents = rows.latents_BCHW.to(self._device)
        loss, timesteps = diffusion_loss(self._unet, latents, context, generator, self._alphas, counts)
        if self._heads is None:
            return loss
        assert rows.truth is not None
        return loss + self._emphasis.truth * self._heads.loss(rows.truth.to(self._device), self._alphas[timesteps])


def cell_weights(truth: Truth, emphasis: Emphasis) -> Tensor:
    """[B, H, W], of mean 1 in each row."""
    head = truth.parts_BPHW[:, Part.FACE] + truth.parts_BPHW[:, Part.HAIR]
    features = torch.maximum(eye_cells(truth.landmarks_B52), mouth_cells(truth.landmarks_B52))
    weights = 1 + emphasis.face * head + emphasis.features * features
    return weights / weights.mean((1, 2), keepdim=True)
