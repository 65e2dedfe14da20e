"""Generates class images for prior preservation (arXiv 2208.12242), once for a foundation and its prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from PIL import Image

from headshots.artifacts import ArtifactStore
from headshots.diffusion.checking.stock_sampling import guide_within, scheduler_for
from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.foundations.samplers import GUIDED_THROUGHOUT
from headshots.diffusion.sampling.options import SAMPLERS
from headshots.faces import Pixels
from services.trainer.lora.computing import images_at_once, release
from services.trainer.lora.recipe import Recipe
from services.trainer.lora.stored_images import image_folder, load_image, save_image
from services.trainer.progress.phases import Entered, Phase

_BATCH = 4


def class_images(
    store: ArtifactStore,
    foundation: Foundation,
    foundation_digest: str,
    recipe: Recipe,
    prompts: Sequence[str],
    device: torch.device,
    check_stop: Callable[[], None],
    tell: Callable[[Entered], object],
) -> list[Pixels]:
    """``recipe.prior_images`` images, uint8 [height, width, 3], of the native size, led away from the negative prompt.

    They are sampled as galleries are: by the foundation's sampler, steps, guidance and its interval. Image i is made of
    seed i and the prompt at i, modulo their number. Images of an earlier training are taken from the store.
    ``check_stop`` is called before each batch, ``tell`` with how many are painted.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE.
    """
    folder = image_folder(foundation, foundation_digest, "class", "\n".join(prompts), foundation.steps)
    keys = [f"{folder}/{number:04d}.png" for number in range(recipe.prior_images)]
    stored = set(store.list_sync(folder))
    missing = [number for number, key in enumerate(keys) if key not in stored]
    if missing:
        pipeline = _load_pipeline(foundation, device)
        batch = images_at_once(foundation.native_width_px, foundation.native_height_px, _BATCH)
        for start in range(0, len(missing), batch):
            check_stop()
            told = f"painting other people, {start} of {len(missing)}; later trainings share the pictures"
            tell(Entered(Phase.CLASS_IMAGES, start, len(missing), told))
            numbers = missing[start : start + batch]
            asked = [prompts[number % len(prompts)] for number in numbers]
            for number, image in zip(numbers, _generate(pipeline, foundation, asked, numbers), strict=True):
                save_image(store, keys[number], image)
        del pipeline
        release(device)
    # Also new images are read back: where two trainings write at once, both use what was stored first.
    return [load_image(store, key) for key in keys]


def _load_pipeline(foundation: Foundation, device: torch.device) -> Any:
    # Pipelines take seconds to import, and most trainings find their class images in the store.
    from diffusers import DiffusionPipeline

    pipeline = DiffusionPipeline.from_pretrained(foundation.path, local_files_only=True, safety_checker=None)
    pipeline.to(device, torch.bfloat16 if device.type == "cuda" else torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    # The folder's own scheduler may be another, or have steps that a fused few-step LoRA was not taught.
    pipeline.scheduler = scheduler_for(foundation.sampler, foundation.scheduler)
    # Four decoded at once take more memory than the UNet.
    pipeline.vae.enable_slicing()
    return pipeline


def _generate(pipeline: Any, foundation: Foundation, prompts: list[str], seeds: list[int]) -> list[Image.Image]:
    eta = SAMPLERS[foundation.sampler].eta or 0.0 if foundation.eta is None else foundation.eta
    interval = foundation.guidance_interval
    guide = None if interval == GUIDED_THROUGHOUT else guide_within(pipeline, interval)
    output = pipeline(
        prompts,
        negative_prompt=[foundation.negative_prompt] * len(seeds) if foundation.negative_prompt else None,
        width=foundation.native_width_px,
        height=foundation.native_height_px,
        num_inference_steps=foundation.steps,
        guidance_scale=foundation.guidance_scale,
        eta=eta,
        callback_on_step_end=guide,
        generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds],
    )
    images: list[Image.Image] = output.images
    return images
