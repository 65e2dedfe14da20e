"""Whole images: ours through a generator's call, and what stock diffusers makes of the same noise."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import (
    AutoPipelineForText2Image,
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
)
from PIL import Image

from headshots.diffusion.package import EnginePackage
from headshots.diffusion.sampling.schedule import initial_noise
from headshots.v1 import generator_pb2 as pb
from tests.support.foundations.stock import weaken_negative
from tests.support.generator.world import running_generator

SAMPLERS = {
    "ddim": (pb.SAMPLER_DDIM, DDIMScheduler),
    "euler": (pb.SAMPLER_EULER, EulerDiscreteScheduler),
    "dpmpp_2m": (pb.SAMPLER_DPMPP_2M, DPMSolverMultistepScheduler),
}


def stock_image(
    foundation: Path,
    lora: Path | None,
    sampler: str,
    *,
    seed: int,
    size: tuple[int, int],
    negative_adapter_share: float = 1.0,
    **call: Any,
) -> np.ndarray[Any, Any]:
    """Stock diffusers, told nothing of us but the noise, and which share of the LoRA the negative prompt sees."""
    pipeline = AutoPipelineForText2Image.from_pretrained(foundation, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = SAMPLERS[sampler][1].from_config(pipeline.scheduler.config)
    if lora is not None:
        pipeline.load_lora_weights(lora.parent, weight_name=lora.name)
    if negative_adapter_share != 1:
        weaken_negative(pipeline.unet, negative_adapter_share)
    width, height = size
    channels = pipeline.unet.config.in_channels
    latents = torch.from_numpy(initial_noise(seed, (1, channels, height // 8, width // 8)))
    made = pipeline(latents=latents, width=width, height=height, output_type="np", **call).images[0]
    return (made * 255).round().astype(np.uint8)  # type: ignore[no-any-return]


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
