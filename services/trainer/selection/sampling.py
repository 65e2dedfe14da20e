"""A light sampler on the UNet that is being trained: the portraits that checkpoints are judged by.

It is the generator's rule (:mod:`.sampling.schedule`) with few steps, in torch, every portrait in one batch.

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
from headshots.diffusion.sampling.schedule import initial_noise, make_schedule
from services.trainer.lora.adapted import adapter_at
from services.trainer.lora.frozen import Conditions, decode_latents
from services.trainer.run.photos import Pixels

# Portraits in one UNet call at most; each may take two rows.
_MOST_PORTRAITS = 8

# (outfit, backdrop, lighting): words of the style library, apart in colour and brightness. All are words that the
# bundled foundation knows, and plain English to a real one.
SCENES = (
    ("navy suit", "plain white studio", "soft studio lighting"),
    ("red shirt", "leafy park", "warm sunset lighting"),
    ("white shirt", "black studio", "dramatic side lighting"),
    ("yellow cardigan", "blue studio", "cool window lighting"),
)
# Large numbers, so that they are not those that people try first.
_FIRST_SEED = 77_001


@dataclass(frozen=True)
class PortraitSet:
    """What is painted at every checkpoint: each prompt with each seed. ``first_caption``: the first prompt's place in
    the conditions; ``empty_caption``: that of the empty one."""

    prompts: tuple[str, ...]
    seeds: tuple[int, ...]
    first_caption: int
    empty_caption: int
    steps: int

    @property
    def size(self) -> int:
        """Portraits."""
        return len(self.prompts) * len(self.seeds)


def score_prompts(foundation: Foundation, class_noun: str, count: int) -> tuple[str, ...]:
    """``count`` prompts as galleries would ask them."""
    subject = f"{foundation.trigger} {class_noun}"
    return tuple(
        foundation.prompt_template.format(
            subject=subject, outfit=outfit, backdrop=backdrop, lighting=lighting, framing="headshot"
        )
        for outfit, backdrop, lighting in SCENES[:count]
    )


def score_seeds(count: int) -> tuple[int, ...]:
    """``count`` seeds, always the same."""
    return tuple(range(_FIRST_SEED, _FIRST_SEED + count))


class Painter:
    """Paints a set with whatever the UNet is at the moment."""

    def __init__(
        self,
        unet: UNet2DConditionModel,
        vae: AutoencoderKL,
        foundation: Foundation,
        conditions: Conditions,
        wanted: PortraitSet,
        device: torch.device,
    ) -> None:
        self._unet, self._vae, self._foundation = unet, vae, foundation
        self._conditions, self.wanted, self._device = conditions, wanted, device

    def paint(self, tick: Callable[[], None], *, bare: bool = False) -> list[list[Pixels]]:
        """[prompts][seeds] pictures; ``bare``: without the adapter. ``tick`` is called before every step."""
        wanted = self.wanted
        orders = [
            (wanted.first_caption + prompt, seed) for prompt in range(len(wanted.prompts)) for seed in wanted.seeds
        ]
        strength = 0.0 if bare else 1.0
        training = self._unet.training
        self._unet.eval()
        try:
            pictures: list[Pixels] = []
            for start in range(0, len(orders), _MOST_PORTRAITS):
                pictures += self._some(orders[start : start + _MOST_PORTRAITS], strength, tick)
        finally:
            self._unet.train(training)
        columns = len(wanted.seeds)
        return [pictures[start : start + columns] for start in range(0, len(pictures), columns)]

    @torch.no_grad()
    def _some(self, orders: Sequence[tuple[int, int]], strength: float, tick: Callable[[], None]) -> list[Pixels]:
        foundation, device = self._foundation, self._device
        factor = foundation.vae_scale_factor
        shape = (
            foundation.latent_channels, foundation.native_height_px // factor, foundation.native_width_px // factor,
        )  # fmt: skip
        table = make_schedule(foundation.scheduler, foundation.sampler, self.wanted.steps)
        noise = np.stack([initial_noise(seed, shape) for _, seed in orders]) * np.float32(table.initial_scale)
        x_BCHW = torch.from_numpy(noise).to(device)
        before_BCHW = torch.zeros_like(x_BCHW)
        captions = torch.tensor([caption for caption, _ in orders], device=device)
        for step in range(table.steps):
            tick()
            scaled = x_BCHW * float(table.input_scale[step])
            guided = self._guided(scaled, float(table.timestep[step]), captions, strength)
            clean = float(table.p[step]) * x_BCHW + float(table.q[step]) * guided
            a, b, c = (float(value[step]) for value in (table.a, table.b, table.c))
            x_BCHW, before_BCHW = a * x_BCHW + b * clean + c * before_BCHW, clean
        return decode_latents(self._vae, x_BCHW)

    def _guided(self, x_BCHW: Tensor, timestep: float, caption_B: Tensor, strength: float) -> Tensor:
        """Classifier-free guidance (arXiv 2207.12598), as the generator paints by default."""
        foundation = self._foundation
        guidance = foundation.adapter_guidance_scale if strength else foundation.guidance_scale
        empty_B = torch.full_like(caption_B, self.wanted.empty_caption)
        weaker = strength * foundation.negative_adapter_share
        if weaker == strength:
            twice = torch.cat([x_BCHW, x_BCHW])
            empty, asked = self._predicted(twice, timestep, torch.cat([empty_B, caption_B]), strength).chunk(2)
        else:
            # All rows of a call have an adapter of one strength.
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
