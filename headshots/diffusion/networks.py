"""Wraps a foundation's networks as the engine package holds them: whole, from inputs to outputs.

Shapes: B rows, C latent channels, H, W latent cells, T tokens, D context width.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class VaeDecoder(nn.Module):
    """Latents as the UNet leaves them to pixels, as stock pipelines post-process them."""

    shift: Tensor
    scale: Tensor

    def __init__(self, vae: nn.Module) -> None:
        super().__init__()
        self.vae = vae
        shift, scale = _latent_statistics(vae)
        self.register_buffer("shift", shift)
        self.register_buffer("scale", scale)

    def forward(self, latents_BCHW: Tensor) -> Tensor:
        """uint8 pixels, [B, height, width, 3]."""
        latents = latents_BCHW * self.scale + self.shift
        pixels = self.vae.decode(latents, return_dict=False)[0]  # type: ignore[operator]
        unit = (pixels / 2 + 0.5).clamp(0, 1)
        # TensorRT takes uint8 at a graph's edges only: the cast comes last.
        result: Tensor = (unit * 255).round().permute(0, 2, 3, 1).to(torch.uint8)
        return result


class VaeEncoder(nn.Module):
    """Pixels to latents as the UNet takes them: the distribution's mean, so that the same picture is the same latents.

    What stock image-to-image pipelines do with ``sample_mode="argmax"``.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, vae: nn.Module) -> None:
        super().__init__()
        self.vae = vae
        shift, scale = _latent_statistics(vae)
        self.register_buffer("shift", shift)
        self.register_buffer("scale", scale)

    def forward(self, pixels_BHWC: Tensor) -> Tensor:
        """uint8 pixels, [B, height, width, 3], to [B, C, H, W]."""
        # TensorRT takes uint8 at a graph's edges only: the cast comes first.
        signed = pixels_BHWC.to(torch.float32).permute(0, 3, 1, 2) / 127.5 - 1
        mean = self.vae.encode(signed, return_dict=False)[0].mode()  # type: ignore[operator]
        result: Tensor = (mean - self.shift) / self.scale
        return result


class ContextEncoder(nn.Module):
    """Token ids [B, T] to context [B, T, D]; for SDXL the penultimate layer's, and the pooled embedding."""

    def __init__(self, encoder: nn.Module, *, penultimate: bool, pooled: bool) -> None:
        super().__init__()
        self.encoder = encoder
        self._penultimate, self._pooled = penultimate, pooled

    def forward(self, ids_BT: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        out = self.encoder(ids_BT, output_hidden_states=self._penultimate)
        context: Tensor = out.hidden_states[-2] if self._penultimate else out[0]
        if self._pooled:
            return context, out[0]
        return context


def _latent_statistics(vae: nn.Module) -> tuple[Tensor, Tensor]:
    """What the VAE's own latents are shifted and scaled by, [1, C, 1, 1] each: own = ours * scale + shift."""
    config: Any = vae.config
    channels = config.latent_channels
    mean, std = getattr(config, "latents_mean", None), getattr(config, "latents_std", None)
    shift = torch.tensor(mean if mean and std else [0.0] * channels).view(1, channels, 1, 1)
    scale = torch.tensor(std if mean and std else [1.0] * channels).view(1, channels, 1, 1)
    return shift, scale / config.scaling_factor
