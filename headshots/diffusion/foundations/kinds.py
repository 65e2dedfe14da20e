"""Names the kinds of models that are no foundation here, by their pipeline and by the tensors of a file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from headshots.errors import InvalidArgumentError

PIPELINES = ("StableDiffusionPipeline", "StableDiffusionXLPipeline")
"""Pipelines of diffusers whose folders are foundations."""
SUPPORTED = (
    "text-to-image models of the Stable Diffusion 1.5 and SDXL families are supported: diffusers folders, and single "
    "safetensors files that hold UNet, VAE and text encoders"
)
# The start of a pipeline's class, and what people call the model. Those of transformers first.
_NAMES = {
    "Flux": "FLUX, a diffusion transformer",
    "StableDiffusion3": "Stable Diffusion 3, a diffusion transformer",
    "QwenImage": "Qwen-Image, a diffusion transformer",
    "ZImage": "Z-Image, a diffusion transformer",
    "StableDiffusionInpaint": "a UNet for inpainting",
    "StableDiffusionXLInpaint": "a UNet for inpainting",
    "StableDiffusionInstructPix2Pix": "a UNet for editing",
    "StableDiffusionControlNet": "a ControlNet",
    "StableDiffusionXLControlNet": "a ControlNet",
    "StableDiffusionXLImg2Img": "SDXL's refiner, or another pipeline that only changes pictures",
}
# Endings of a tensor's name that only this kind of file has.
_TENSORS = {
    "double_blocks.0.img_attn.norm.key_norm.scale": "FLUX, a diffusion transformer",
    "double_blocks.0.img_attn.qkv.weight": "FLUX, a diffusion transformer",
    "joint_blocks.0.context_block.adaLN_modulation.1.bias": "Stable Diffusion 3, a diffusion transformer",
    "transformer_blocks.0.attn.add_q_proj.weight": "Qwen-Image or another diffusion transformer",
    "layers.0.adaLN_modulation.0.weight": "Z-Image, a diffusion transformer",
    "control_model.time_embed.0.weight": "a ControlNet",
    "controlnet_cond_embedding.conv_in.weight": "a ControlNet",
    "input_hint_block.0.weight": "a ControlNet",
}
# Parts of a tensor's name that only files of LoRA have.
_LORA = (".lora_down.", ".lora_up.", ".lora_A.", ".lora_B.", ".lora.down.", ".lora.up.")


def check_pipeline(path: Path, index: Mapping[str, Any]) -> None:
    """Refuse a diffusers folder whose ``model_index.json`` names a pipeline that is no foundation here.

    Raises:
        InvalidArgumentError: FOUNDATION_UNSUPPORTED, with the model's name.
    """
    name = str(index.get("_class_name", ""))
    known = max((start for start in _NAMES if name.startswith(start)), key=len, default="")
    if known or "transformer" in index:
        raise unsupported(path, f"{_NAMES.get(known, 'a diffusion transformer')} ({name})")
    if name not in PIPELINES:
        raise unsupported(path, f"{name or 'a pipeline without a name'}")


def check_tensors(path: Path, names: Collection[str]) -> None:
    """Refuse a file that tells by its tensors that it is no checkpoint of a UNet with its VAE and text encoders.

    Raises:
        InvalidArgumentError: FOUNDATION_UNSUPPORTED, with the model's name.
    """
    for name in names:
        if any(part in name for part in _LORA):
            raise unsupported(path, "a LoRA, which changes a model and is none: `--fuse` folds it into one")
    for ending, kind in _TENSORS.items():
        if any(name == ending or name.endswith(f".{ending}") for name in names):
            raise unsupported(path, kind)


def unsupported(path: Path, what: str) -> InvalidArgumentError:
    """FOUNDATION_UNSUPPORTED."""
    return InvalidArgumentError("FOUNDATION_UNSUPPORTED", f"{path} is {what}: {SUPPORTED}")
