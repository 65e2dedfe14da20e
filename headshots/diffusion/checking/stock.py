"""Paints the same with stock diffusers: its own pipeline, scheduler and LoRA loader, told of us only the noise.

Of ``headshots.yaml`` it is told what a user of diffusers would say too: sampler, spacing, eta, interval of guidance.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoPipelineForText2Image

from headshots.diffusion.checking.painting import ADAPTERS, SEED, SideFacts, Stages, Task, guidance_of, prompt_of
from headshots.diffusion.checking.stock_sampling import InjectedNoise, guide_within, noise_of, scheduler_for
from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.sampling.options import SAMPLERS
from headshots.diffusion.sampling.schedule import initial_noise
from headshots.diffusion.tensorrt.rtx.building import peak_bytes


def run(task: Task) -> SideFacts:
    """Write the stages of both paintings into the task's folder; needs the random adapter there.

    The pixels are those of the engine's own last latents, so that they tell of the decoder alone; the image that the
    pipeline makes of its own latents is beside them.
    """
    foundation = Foundation.read(Path(task.foundation))
    device = "cpu" if task.provider == "cpu" or not torch.cuda.is_available() else f"cuda:{task.device}"
    pipeline = AutoPipelineForText2Image.from_pretrained(foundation.path, dtype=torch.float32).to(device)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = scheduler_for(foundation.sampler, foundation.scheduler)
    painter = _Painter(pipeline, foundation)
    painter.paint("bare", 1)
    seconds = []
    for adapter in ADAPTERS:
        if adapter == "adapter":
            pipeline.load_lora_weights(task.lora.parent, weight_name=task.lora.name)
        begin = time.perf_counter()
        stages = painter.paint(adapter, task.steps)
        seconds.append(time.perf_counter() - begin)
        stages.save(task.stages("stock", adapter))
        theirs = Stages.load(task.stages("engine", adapter))
        np.save(task.decoded(adapter), painter.decode(theirs.latents_CHW))
    device_bytes = torch.cuda.max_memory_allocated() if device != "cpu" else 0
    return SideFacts(f"diffusers on {device}, fp32", seconds, peak_bytes(os.getpid()), device_bytes, {})


class _Painter:
    def __init__(self, pipeline: Any, foundation: Foundation) -> None:
        self._pipeline, self._foundation = pipeline, foundation
        self._contexts: list[torch.Tensor] = []
        self._firsts: list[torch.Tensor] = []
        pipeline.unet.register_forward_hook(self._remember, with_kwargs=True)

    def paint(self, adapter: str, steps: int) -> Stages:
        """One image from the noise that the engine has."""
        self._contexts, self._firsts = [], []
        foundation = self._foundation
        width, height = foundation.native_width_px, foundation.native_height_px
        factor = foundation.vae_scale_factor
        noise = initial_noise(SEED, (1, foundation.latent_channels, height // factor, width // factor))
        device = self._pipeline.device
        with InjectedNoise(lambda step, shape: noise_of(SEED)(step, shape).to(device)):
            latents = self._pipeline(
                prompt_of(foundation),
                latents=torch.from_numpy(noise).to(device),
                width=width,
                height=height,
                num_inference_steps=steps,
                guidance_scale=guidance_of(foundation, adapter),
                eta=SAMPLERS[foundation.sampler].eta or 0.0 if foundation.eta is None else foundation.eta,
                callback_on_step_end=guide_within(self._pipeline, foundation.guidance_interval),
                output_type="latent",
            ).images[0]
        latents_CHW = latents.float().cpu().numpy()
        return Stages(
            self._contexts[0][1].float().cpu().numpy(),
            self._firsts[0].float().cpu().numpy(),
            latents_CHW,
            self.decode(latents_CHW),
        )

    @torch.no_grad()
    def decode(self, latents_CHW: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """uint8 pixels, [height, width, 3], as the pipelines post-process them."""
        vae = self._pipeline.vae
        latents = torch.from_numpy(latents_CHW)[None].to(self._pipeline.device)
        pixels = vae.decode(latents / vae.config.scaling_factor, return_dict=False)[0]
        made = self._pipeline.image_processor.postprocess(pixels, output_type="np")[0]
        return (made * 255).round().astype(np.uint8)  # type: ignore[no-any-return]

    def _remember(self, unet: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        if not self._firsts:
            self._contexts.append(kwargs["encoder_hidden_states"])
            self._firsts.append(output[0])
