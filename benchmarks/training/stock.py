"""Paints a person's portraits as whoever downloads the adapter does: stock diffusers, which knows no weaker adapter.

Its negative rows see all of the adapter, where our engine's see a share (decision 16).
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline

from benchmarks.faces import likeness
from benchmarks.training.judging import embeddings, gallery
from benchmarks.training.painting import orders_of
from benchmarks.training.people import Pixels, resized
from benchmarks.training.pictures import keep
from benchmarks.training.plan import Plan
from benchmarks.training.work import adapter_of
from foundry.train_judges import load_judges

_AT_ONCE = 8


def measured(plan: Plan, person: int, faces: Mapping[str, Any]) -> dict[str, float]:
    """What ``faces`` has of our pictures, of stock diffusers'; beside the same true renders and doubles."""
    torch.set_num_threads(1)
    judges = load_judges()
    pictures = resized(_portraits(plan, person))
    keep(plan, "stock", person, pictures)
    vectors_ND = embeddings(judges, pictures)
    own_KD = gallery(plan.cast, plan.gallery, plan.gallery_file)[person]
    share = likeness.face_share(
        likeness.likeness(vectors_ND, own_KD), faces["likeness_true"], faces["likeness_doubles"]
    )
    return {
        "face_share_stock": share,
        "stock_shortfall": faces["face_share"] - share,
        "verified_stock": float(likeness.verified(vectors_ND, own_KD, judges.same_person_from).mean()),
    }


def _portraits(plan: Plan, person: int) -> list[Pixels]:
    """Every scene with every seed, by the file that a customer has, the foundation's own scheduler and guidance."""
    pipeline = StableDiffusionPipeline.from_pretrained(plan.foundation, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "adapter.safetensors").write_bytes(adapter_of(plan, person))
        pipeline.load_lora_weights(folder, weight_name="adapter.safetensors")
    orders = orders_of(plan, person)
    pictures: list[Pixels] = []
    for start in range(0, len(orders), _AT_ONCE):
        some = orders[start : start + _AT_ONCE]
        painted = pipeline(
            [prompt for prompt, _ in some],
            generator=[torch.Generator().manual_seed(seed) for _, seed in some],
            num_inference_steps=plan.described.steps,
            guidance_scale=plan.described.guidance_scale,
            output_type="np",
        ).images
        pictures += list((painted * 255).round().astype(np.uint8))
    return pictures
