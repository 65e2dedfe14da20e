"""Prior preservation: pictures of the class as the bare foundation paints it, made once and kept in the store."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image

from headshots.artifacts import ArtifactStore
from headshots.diffusion.foundation import Foundation
from services.trainer.base import compute_dtype
from services.trainer.options import Recipe
from services.trainer.photos import Pixels

_ROWS = 4


def class_pictures(
    store: ArtifactStore,
    foundation: Foundation,
    foundation_digest: str,
    recipe: Recipe,
    class_noun: str,
    device: torch.device,
    tick: Callable[[], None],
) -> list[Pixels]:
    """``recipe.prior_images`` pictures, uint8 [height, width, 3]; picture i is painted from seed i.

    What another training has painted is taken from the store; ``tick`` is called before each batch that is painted.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE.
    """
    prompt = recipe.prior_caption.format(class_noun=class_noun)
    folder = _folder(foundation, foundation_digest, prompt)
    keys = [f"{folder}/{number:04d}.png" for number in range(recipe.prior_images)]
    there = set(store.list_sync(folder))
    missing = [number for number, key in enumerate(keys) if key not in there]
    if missing:
        pipeline = _load(foundation, device)
        for start in range(0, len(missing), _ROWS):
            tick()
            numbers = missing[start : start + _ROWS]
            for number, image in zip(numbers, _paint(pipeline, foundation, prompt, numbers), strict=True):
                packed = io.BytesIO()
                image.save(packed, "PNG")
                store.put_sync(keys[number], packed.getvalue())
    # Read back also what was just painted: whoever wrote first decides, for every training alike.
    return [np.asarray(Image.open(io.BytesIO(store.get_sync(key))).convert("RGB")) for key in keys]


def _folder(foundation: Foundation, foundation_digest: str, prompt: str) -> str:
    """All that decides how a picture looks is in the name of its folder."""
    facts = [
        prompt,
        foundation.native_width_px,
        foundation.native_height_px,
        foundation.steps,
        foundation.guidance_scale,
    ]
    return f"foundations/{foundation_digest}/class/{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]}"


def _load(foundation: Foundation, device: torch.device) -> Any:
    # Pipelines take seconds to import, and most trainings find their class pictures in the store.
    from diffusers import DiffusionPipeline

    pipeline = DiffusionPipeline.from_pretrained(foundation.path, local_files_only=True, safety_checker=None)
    pipeline.to(device, compute_dtype(device))
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _paint(pipeline: Any, foundation: Foundation, prompt: str, seeds: list[int]) -> list[Image.Image]:
    output = pipeline(
        [prompt] * len(seeds),
        width=foundation.native_width_px,
        height=foundation.native_height_px,
        num_inference_steps=foundation.steps,
        guidance_scale=foundation.guidance_scale,
        generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds],
    )
    images: list[Image.Image] = output.images
    return images
