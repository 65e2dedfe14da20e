"""A pipeline on paper: whole as far as configurations and headers go, with weights that are no networks. No torch."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from safetensors.numpy import save

_UNET = {"sample_size": 8, "in_channels": 4, "cross_attention_dim": 32}
_VAE = {"block_out_channels": [32, 32], "latent_channels": 4}


def paper_pipeline(family: str = "sd15", **index: Any) -> dict[str, bytes]:
    """Files of a diffusers folder by their path, no two the same; ``index``: more of ``model_index.json``."""
    is_xl = family == "sdxl"
    name = "StableDiffusionXLPipeline" if is_xl else "StableDiffusionPipeline"
    unet = _UNET | ({"addition_embed_type": "text_time"} if is_xl else {})
    texts = {
        "model_index.json": {"_class_name": name, **index},
        "unet/config.json": unet,
        "vae/config.json": _VAE,
        "scheduler/scheduler_config.json": {"_class_name": "DDIMScheduler"},
    }
    files = {path: json.dumps(value).encode() for path, value in texts.items()}
    for part in ("text_encoder", "text_encoder_2")[: 1 + is_xl]:
        files[f"{part}/config.json"] = json.dumps({"of": part}).encode()
        files[f"{part}/model.safetensors"] = paper_weights(part)
        tokenizer = part.replace("text_encoder", "tokenizer")
        files[f"{tokenizer}/tokenizer.json"] = json.dumps({"of": tokenizer}).encode()
    for part in ("unet", "vae"):
        files[f"{part}/diffusion_pytorch_model.safetensors"] = paper_weights(part)
    return files


def paper_weights(*names: str) -> bytes:
    """A safetensors file of a small tensor for each name."""
    return save({name: np.arange(64, dtype=np.float32) + len(name) for name in names})
