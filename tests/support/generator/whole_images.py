"""Whole images: ours through a generator's call, and what stock diffusers makes of the same noise."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoPipelineForText2Image
from PIL import Image

from headshots.diffusion.checking.stock_sampling import InjectedNoise, guide_within, noise_of, scheduler_for
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.sampling.schedule import initial_noise
from headshots.v1 import generator_pb2 as pb
from tests.support.foundations.stock import weaken
from tests.support.generator.world import running_generator

SAMPLERS = {
    "ddim": pb.SAMPLER_DDIM,
    "euler": pb.SAMPLER_EULER,
    "euler_ancestral": pb.SAMPLER_EULER_ANCESTRAL,
    "dpmpp_2m": pb.SAMPLER_DPMPP_2M,
    "dpmpp_2m_sde": pb.SAMPLER_DPMPP_2M_SDE,
    "lcm": pb.SAMPLER_LCM,
    "tcd": pb.SAMPLER_TCD,
}


def stock_image(
    foundation: Path,
    lora: Path | None,
    sampler: str,
    *,
    seed: int,
    size: tuple[int, int],
    adapter_strength: float = 1.0,
    negative_adapter_share: float = 1.0,
    interval: tuple[float, float] = (0.0, 1.0),
    **call: Any,
) -> np.ndarray[Any, Any]:
    """Stock diffusers, told nothing of us but the noise, and how much of the LoRA each prompt sees.

    ``interval``: where in the noise schedule it has guidance.
    """
    pipeline = stock_pipeline(foundation, lora)
    if (adapter_strength, negative_adapter_share) != (1, 1):
        weaken(pipeline.unet, adapter_strength, negative_adapter_share)
    return painted_by(pipeline, sampler, seed=seed, size=size, interval=interval, **call)


def stock_pipeline(foundation: Path, lora: Path | None) -> Any:
    """As any user of diffusers loads a foundation, and a LoRA."""
    pipeline = AutoPipelineForText2Image.from_pretrained(foundation, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    if lora is not None:
        pipeline.load_lora_weights(lora.parent, weight_name=lora.name)
    return pipeline


def painted_by(
    pipeline: Any,
    sampler: str,
    *,
    seed: int,
    size: tuple[int, int],
    interval: tuple[float, float] = (0.0, 1.0),
    **call: Any,
) -> np.ndarray[Any, Any]:
    """An image of a stock pipeline, with the noise of a seed."""
    pipeline.scheduler = scheduler_for(sampler, _own_config(pipeline))
    width, height = size
    channels = pipeline.unet.config.in_channels
    latents = torch.from_numpy(initial_noise(seed, (1, channels, height // 8, width // 8)))
    call |= {"eta": 0.3 if sampler == "tcd" else 0.0, "callback_on_step_end": guide_within(pipeline, interval)}
    with InjectedNoise(noise_of(seed)):
        made = pipeline(latents=latents, width=width, height=height, output_type="np", **call).images[0]
    return (made * 255).round().astype(np.uint8)  # type: ignore[no-any-return]


def _own_config(pipeline: Any) -> Mapping[str, Any]:
    """Of the scheduler that it was loaded with, whatever others it had since."""
    if not hasattr(pipeline, "loaded_scheduler"):
        pipeline.loaded_scheduler = dict(pipeline.scheduler.config)
    config: Mapping[str, Any] = pipeline.loaded_scheduler
    return config


async def our_image(folder: Path, package: EnginePackage, lora: Path | None, **request: Any) -> np.ndarray[Any, Any]:
    """What a generator answers to the request, with the adapter ``lora``."""
    data = lora.read_bytes() if lora is not None else None  # noqa: ASYNC240 - nothing else runs yet
    async with running_generator(folder, package=package) as generator:
        if data is not None:
            adapter = await generator.add(data)
            adapter.foundation_digest = package.foundation_digest
            request["adapter"] = adapter
        image = await generator.image(**request)
    with Image.open(io.BytesIO(image.content)) as opened:
        return np.asarray(opened)
