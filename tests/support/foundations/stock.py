"""A stock diffusers pipeline: the truth that our generator is held against."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline

from headshots.client import Image
from headshots.diffusion.checking.check import psnr_db
from headshots.diffusion.foundations.foundation import Foundation


def weaken(unet: Any, strength: float, negative_share: float) -> None:
    """PEFT's adapter at ``strength``, in the first of every two rows, the negative prompt's, at a share of it."""
    whole = unet.forward
    name = next(iter(unet.peft_config))

    def forward(
        sample: torch.Tensor, timestep: torch.Tensor, encoder_hidden_states: torch.Tensor, **rest: Any
    ) -> tuple[torch.Tensor]:
        rows = []
        for row, weight in enumerate((strength * negative_share, strength)):
            unet.set_adapters([name], [weight])
            one = slice(row, row + 1)
            rows.append(whole(sample[one], timestep, encoder_hidden_states=encoder_hidden_states[one], **rest)[0])
        return (torch.cat(rows),)

    unet.forward = forward


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of two images of 8 bits."""
    return psnr_db(one, other)


class StockDiffusers:
    """A foundation in a StableDiffusionPipeline, with the scheduler that its folder names."""

    def __init__(self, foundation: Path) -> None:
        self._foundation = Foundation.read(foundation)
        self._pipeline = StableDiffusionPipeline.from_pretrained(foundation, safety_checker=None)
        self._pipeline.set_progress_bar_config(disable=True)
        self._guidance = self._foundation.guidance_scale

    def load_adapter(self, file: Path) -> None:
        """As any user of diffusers loads a LoRA."""
        self._pipeline.load_lora_weights(file.parent, weight_name=file.name)
        self._guidance = self._foundation.adapter_guidance_scale
        strength, share = self._foundation.adapter_strength, self._foundation.negative_adapter_share
        if (strength, share) != (1, 1):
            weaken(self._pipeline.unet, strength, share)

    def paint(self, image: Image) -> np.ndarray:
        """The image's prompt, seed and size, with the foundation's steps and guidance; float64 [H, W, 3], 0 to 255."""
        shape = (1, self._pipeline.unet.config.in_channels, image.height_px // 8, image.width_px // 8)
        # The noise that a seed means is documented: any program can draw it.
        noise = np.random.RandomState(image.seed).standard_normal(shape).astype(np.float32)
        output = self._pipeline(
            image.prompt,
            width=image.width_px,
            height=image.height_px,
            num_inference_steps=self._foundation.steps,
            guidance_scale=self._guidance,
            latents=torch.from_numpy(noise),
            output_type="pil",
        )
        return np.asarray(output.images[0].convert("RGB"), dtype=np.float64)
