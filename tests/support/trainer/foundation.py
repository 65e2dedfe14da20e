"""Makes a foundation without weights, for tests that load no model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from headshots.diffusion.foundations.foundation import Foundation

_FILES: dict[str, dict[str, Any]] = {
    "model_index.json": {"_class_name": "StableDiffusionPipeline"},
    "unet/config.json": {"sample_size": 8},
    "vae/config.json": {"block_out_channels": [8, 8, 8, 8], "latent_channels": 4},
    "scheduler/scheduler_config.json": {"_class_name": "DDIMScheduler"},
}


def described_foundation(path: Path, training: dict[str, Any] | None = None) -> Foundation:
    """Write a foundation to ``path`` that has a description and empty weights."""
    for name, content in _FILES.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(json.dumps(content))
    for part in ("unet", "vae", "text_encoder"):
        (path / part).mkdir(exist_ok=True)
        (path / part / "model.safetensors").touch()
    (path / "headshots.yaml").write_text(yaml.safe_dump({"training": training or {}}))
    return Foundation.read(path)
