"""What the bare foundation paints, made once for a foundation and class, and kept in the store for every training.

Class pictures are for prior preservation, bare portraits for judging checkpoints against. They lie under
``foundations/{digest}/``, show nobody, and are bounded: ``prior_images`` and a few portraits for each class noun and
recipe. Nothing else refers to them: delete the prefix of a foundation that is no longer trained on, or any part of it,
at any time; the next training paints again what it misses.
"""

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
from headshots.diffusion.foundations.foundation import Foundation
from headshots.errors import NotFoundError
from services.trainer.lora.recipe import Recipe
from services.trainer.run.photos import Pixels
from services.trainer.selection.sampling import Painter

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
    folder = _folder(foundation, foundation_digest, "class", prompt, foundation.steps)
    keys = [f"{folder}/{number:04d}.png" for number in range(recipe.prior_images)]
    there = set(store.list_sync(folder))
    missing = [number for number, key in enumerate(keys) if key not in there]
    if missing:
        pipeline = _load(foundation, device)
        for start in range(0, len(missing), _ROWS):
            tick()
            numbers = missing[start : start + _ROWS]
            for number, image in zip(numbers, _paint(pipeline, foundation, prompt, numbers), strict=True):
                _keep(store, keys[number], image)
    # Read back also what was just painted: whoever wrote first decides, for every training alike.
    return [_picture(store, key) for key in keys]


def bare_portraits(
    store: ArtifactStore,
    foundation: Foundation,
    foundation_digest: str,
    painter: Painter,
    tick: Callable[[], None],
) -> list[list[Pixels]]:
    """[prompts][seeds]: the painter's set without an adapter, from the store where it is there whole.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE.
    """
    wanted = painter.wanted
    folder = _folder(foundation, foundation_digest, "bare", "\n".join(wanted.prompts), wanted.steps)
    keys = [[f"{folder}/{row}-{seed}.png" for seed in wanted.seeds] for row in range(len(wanted.prompts))]
    try:
        return [[_picture(store, key) for key in row] for row in keys]
    except NotFoundError:
        painted = painter.paint(tick, bare=True)
    for key_row, picture_row in zip(keys, painted, strict=True):
        for key, picture in zip(key_row, picture_row, strict=True):
            _keep(store, key, Image.fromarray(picture))
    return [[_picture(store, key) for key in row] for row in keys]


def _keep(store: ArtifactStore, key: str, image: Image.Image) -> None:
    packed = io.BytesIO()
    image.save(packed, "PNG")
    store.put_sync(key, packed.getvalue())


def _picture(store: ArtifactStore, key: str) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(store.get_sync(key))).convert("RGB"))


def _folder(foundation: Foundation, foundation_digest: str, kind: str, prompt: str, steps: int) -> str:
    """All that decides how a picture looks is in the name of its folder."""
    facts = [prompt, foundation.native_width_px, foundation.native_height_px, steps, foundation.guidance_scale]
    return f"foundations/{foundation_digest}/{kind}/{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]}"


def _load(foundation: Foundation, device: torch.device) -> Any:
    # Pipelines take seconds to import, and most trainings find their class pictures in the store.
    from diffusers import DiffusionPipeline

    pipeline = DiffusionPipeline.from_pretrained(foundation.path, local_files_only=True, safety_checker=None)
    pipeline.to(device, torch.bfloat16 if device.type == "cuda" else torch.float32)
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
