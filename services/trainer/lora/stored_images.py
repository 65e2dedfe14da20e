"""Keeps images that the bare foundation generated in the object store, for every training of that foundation.

They lie under ``foundations/{digest}/``, show no real person, and are few: ``prior_images`` class images and a few
portraits for each class noun and recipe. Nothing else refers to them: a foundation's prefix, or any part of it, can be
deleted at any time; the next training generates again what is missing.
"""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import numpy as np
from PIL import Image

from headshots.artifacts import ArtifactStore
from headshots.diffusion.foundations.foundation import Foundation
from headshots.faces import Pixels


def image_folder(foundation: Foundation, foundation_digest: str, kind: str, prompt: str, steps: int) -> str:
    """The folder's name depends on everything that decides how its images look."""
    facts: list[Any] = [
        prompt,
        foundation.native_width_px,
        foundation.native_height_px,
        steps,
        foundation.guidance_scale,
    ]
    if foundation.negative_prompt:
        facts.append(foundation.negative_prompt)
    facts += [foundation.sampler, dict(foundation.scheduler), foundation.eta, foundation.guidance_interval]
    told = json.dumps(facts, sort_keys=True).encode()
    return f"foundations/{foundation_digest}/{kind}/{hashlib.sha256(told).hexdigest()[:16]}"


def save_image(store: ArtifactStore, key: str, image: Image.Image) -> None:
    """Store ``image`` as PNG, unless there is one under ``key`` already."""
    packed = io.BytesIO()
    image.save(packed, "PNG")
    store.put_sync(key, packed.getvalue())


def load_image(store: ArtifactStore, key: str) -> Pixels:
    """The stored image, uint8 [height, width, 3].

    Raises:
        NotFoundError: OBJECT_NOT_FOUND.
    """
    return np.asarray(Image.open(io.BytesIO(store.get_sync(key))).convert("RGB"))
