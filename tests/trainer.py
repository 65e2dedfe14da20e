"""What the trainer's tests share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headshots.diffusion.foundation import Foundation


def described_foundation(path: Path, *, family: str = "sd15", training: dict[str, Any] | None = None) -> Foundation:
    """A foundation of which nothing but the description exists."""
    return Foundation(
        path=path,
        name="described",
        family=family,
        latent_channels=4,
        vae_scale_factor=8,
        scaling_factor=1.0,
        native_width_px=64,
        native_height_px=64,
        prediction_type="epsilon",
        scheduler={},
        sampler="ddim",
        steps=4,
        guidance_scale=1.0,
        trigger="sks",
        prompt_template="{subject}",
        class_nouns=("man",),
        training=training or {},
    )
