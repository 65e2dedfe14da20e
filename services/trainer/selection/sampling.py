"""Samples the portraits that checkpoints are judged by, with the UNet that is being trained.

It takes the generator's steps (:mod:`headshots.diffusion.sampling`), but few, in torch, and all portraits in one batch.

Shapes: B portraits, C latent channels, H, W latent cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor

from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.sampling.schedule import initial_noise, make_schedule, step_noise
from headshots.diffusion.sampling.tables import denoise
from headshots.faces import Pixels
from services.trainer.captions.scenes import portrait_prompt
from services.trainer.lora.adapted import adapter_at
from services.trainer.lora.computing import images_at_once
from services.trainer.lora.frozen import Conditions, decode_latents

# Portraits in one UNet call at most; each may take two rows.
_MAX_BATCH = 8

# (outfit, backdrop, lighting): values of the style library that differ in colour and brightness. The bundled foundation
# was trained on all of these words; to other foundations they are plain English.
SCENES = (
    ("navy suit", "plain white studio", "soft studio lighting"),
    ("red shirt", "leafy park", "warm sunset lighting"),
    ("white shirt", "black studio", "dramatic side lighting"),
    ("yellow cardigan", "blue studio", "cool window lighting"),
)
# A large number, so that scoring does not use the seeds that people try first.
_FIRST_SEED = 77_001


@dataclass(frozen=True)
class PortraitSet:
    """The portraits of every judged checkpoint: each prompt with each seed.

    ``first_caption``: index of the first prompt in the conditions; ``negative_caption``: of what images are led away
    from.
    """

    prompts: tuple[str, ...]
    seeds: tuple[int, ...]
    first_caption: int
    negative_caption: int
    steps: int


def score_prompts(foundation: Foundation, class_noun: str, count: int) -> tuple[str, ...]:
    """``count`` prompts, built from the foundation's template as the prompts of galleries are."""
    subject = f"{foundation.trigger} {class_noun}"
    return tuple(
        portrait_prompt(foundation.prompt_template, subject, outfit=outfit, backdrop=backdrop, lighting=lighting)
        for outfit, backdrop, lighting in SCENES[:count]
    )


def score_seeds(count: int) -> tuple[int, ...]:
    """``count`` seeds, always the same."""
    return tuple(range(_FIRST_SEED, _FIRST_SEED + count))


class CheckpointSampler:
    """Samples the portraits of a set with the UNet's current weights."""

    def __init__(
        self,
        unet: UNet2DConditionModel,
        vae: AutoencoderKL,
        foundation: Foundation,
        conditions: Conditions,
        portraits: PortraitSet,
        device: torch.device,
    ) -> None:
        self._unet, self._vae, self._foundation = unet, vae, foundation
        self._conditions, self.portraits, self._device = conditions, portraits, device

    def sample(self, check_stop: Callable[[], None], *, bare: bool = False) -> list[list[Pixels]]:
        """[prompts][seeds] images; ``bare``: without the adapter. ``check_stop`` is called before every step."""
        wanted = self.portraits
        orders = [
            (wanted.first_caption + prompt, seed) for prompt in range(len(wanted.prompts)) for seed in wanted.seeds
        ]
        strength = 0.0 if bare else self._foundation.adapter_strength
        training = self._unet.training
        self._unet.eval()
        try:
            images: list[Pixels] = []
            foundation = self._foundation
            batch = images_at_once(foundation.native_width_px, foundation.native_height_px, _MAX_BATCH)
            for start in range(0, len(orders), batch):
                images += self._sample_batch(orders[start : start + batch], strength, check_stop)
        finally:
            self._unet.train(training)
        columns = len(wanted.seeds)
        return [images[start : start + columns] for start in range(0, len(images), columns)]

    @torch.no_grad()
    def _sample_batch(
        self, orders: Sequence[tuple[int, int]], strength: float, check_stop: Callable[[], None]
    ) -> list[Pixels]:
        """One image for each (caption index, seed)."""
        foundation, device = self._foundation, self._device
        factor = foundation.vae_scale_factor
        shape = (
            foundation.latent_channels, foundation.native_height_px // factor, foundation.native_width_px // factor,
        )  # fmt: skip
        steps = self.portraits.steps
        table = make_schedule(foundation.scheduler, foundation.sampler, steps, eta=foundation.eta)
        noise = np.stack([initial_noise(seed, shape) for _, seed in orders]) * np.float32(table.initial_scale)
        x_BCHW = torch.from_numpy(noise).to(device)
        captions = torch.tensor([caption for caption, _ in orders], device=device)
        guidance = foundation.adapter_guidance_scale if strength else foundation.guidance_scale
        is_guided = table.guided(foundation.guidance_interval)

        def predict(step: int, scaled_BCHW: Tensor) -> Tensor:
            check_stop()
            scale = guidance if is_guided[step] else 1.0
            return self._guided(scaled_BCHW, float(table.timestep[step]), captions, strength, scale)

        def draw(step: int) -> Tensor:
            drawn = np.stack([step_noise(seed, step, shape) for _, seed in orders])
            return torch.from_numpy(drawn).to(device)

        return decode_latents(self._vae, denoise(table, x_BCHW, predict, draw))

    def _guided(
        self, x_BCHW: Tensor, timestep: float, caption_B: Tensor, strength: float, guidance: float
    ) -> Tensor:  # fmt: skip
        """Classifier-free guidance (arXiv 2207.12598) with the generator's defaults; 1 or less: none."""
        if guidance <= 1:
            return self._predicted(x_BCHW, timestep, caption_B, strength)
        foundation = self._foundation
        empty_B = torch.full_like(caption_B, self.portraits.negative_caption)
        weaker = strength * foundation.negative_adapter_share
        if weaker == strength:
            twice = torch.cat([x_BCHW, x_BCHW])
            empty, asked = self._predicted(twice, timestep, torch.cat([empty_B, caption_B]), strength).chunk(2)
        else:
            # All rows of one UNet call have the adapter at the same strength.
            empty = self._predicted(x_BCHW, timestep, empty_B, weaker)
            asked = self._predicted(x_BCHW, timestep, caption_B, strength)
        return empty + guidance * (asked - empty)

    def _predicted(self, x_BCHW: Tensor, timestep: float, caption_B: Tensor, strength: float) -> Tensor:
        context, added = self._conditions.rows(caption_B)
        times = torch.full((len(caption_B),), timestep, device=self._device)
        dtype = self._unet.dtype
        with (
            adapter_at(self._unet, strength),
            torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._device.type == "cuda"),
        ):
            prediction: Tensor = self._unet(
                x_BCHW.to(dtype), times, context.to(dtype), added_cond_kwargs=added, return_dict=False
            )[0]
        return prediction.float()
