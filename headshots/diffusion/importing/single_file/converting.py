"""Converts a checkpoint's tensors to the names of diffusers and transformers, with diffusers' own converters.

The only module of the room that imports torch. Converters rename and split; no number is changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders.single_file_utils import (
    convert_ldm_clip_checkpoint,
    convert_ldm_unet_checkpoint,
    convert_ldm_vae_checkpoint,
    convert_open_clip_checkpoint,
)
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from headshots.diffusion.foundations.files import invalid_foundation
from headshots.diffusion.importing.single_file.checkpoints import TEXT_ENCODERS, UNET, VAE, Checkpoint
from headshots.diffusion.importing.single_file.shapes import Config, Shapes, text_config, unet_config, vae_config

_TOLD = 3


def read_configs(checkpoint: Checkpoint) -> dict[str, Config]:
    """The configuration of each network, by the part of the diffusers folder that it becomes; reads no weights.

    Raises:
        InvalidArgumentError: FOUNDATION_INVALID, where the tensors make no network of the family.
    """
    parts = ["vae", *TEXT_ENCODERS[checkpoint.family], "unet"]
    try:
        shapes = {part: _shapes(_converted(checkpoint, part, _empty(checkpoint))) for part in parts}
        configs = {part: _config(checkpoint.family, part, shapes) for part in parts}
    except (KeyError, IndexError, AttributeError, StopIteration, ValueError) as error:
        raise invalid_foundation(
            checkpoint.path, f"its tensors are not those of a whole {checkpoint.family} model ({error!r})"
        ) from error
    for part in parts:
        _check(checkpoint, part, configs[part], shapes[part])
    return configs


def read_shapes(checkpoint: Checkpoint, part: str) -> Shapes:
    """Shapes of the tensors of one part under their new names; reads no weights."""
    return _shapes(_converted(checkpoint, part, _empty(checkpoint)))


def write_weights(checkpoint: Checkpoint, part: str, path: Path) -> None:
    """Write the tensors of one part, with the types that the checkpoint has. They are read as they are written."""
    with safe_open(checkpoint.path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in checkpoint.names_of(_prefix(checkpoint, part))}
    converted = _converted(checkpoint, part, tensors)
    save_file({name: tensor.contiguous() for name, tensor in converted.items()}, path, metadata={"format": "pt"})


def _empty(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """Tensors without memory, for their names and shapes."""
    return {name: torch.empty(shape, device="meta") for name, shape in checkpoint.shapes.items()}


def _prefix(checkpoint: Checkpoint, part: str) -> str:
    return {"unet": UNET, "vae": VAE, **TEXT_ENCODERS[checkpoint.family]}[part]


def _converted(checkpoint: Checkpoint, part: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    prefix = _prefix(checkpoint, part)
    own = {name: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    if part == "unet":
        added = {"addition_embed_type": "text_time"} if checkpoint.family == "sdxl" else {}
        made = convert_ldm_unet_checkpoint(own, {"layers_per_block": _layers_per_block(own), **added})
    elif part == "vae":
        blocks = range(_vae_blocks(own))
        made = convert_ldm_vae_checkpoint(own, {"down_block_types": blocks, "up_block_types": blocks})
    elif part == "text_encoder_2":
        made = convert_open_clip_checkpoint(None, own, prefix)
    else:
        made = convert_ldm_clip_checkpoint(own)
    # Old files store the numbers of the positions too, which are no weights.
    return {name: tensor for name, tensor in made.items() if not name.endswith("position_ids")}


def _layers_per_block(own: Mapping[str, Tensor]) -> int:
    """The first block ends with the first input block that halves the picture."""
    halving = re.compile(rf"^{re.escape(UNET)}input_blocks\.(\d+)\.0\.op\.weight$")
    return min(int(found[1]) for name in own if (found := halving.match(name))) - 1


def _vae_blocks(own: Mapping[str, Tensor]) -> int:
    number = 0
    while f"{VAE}encoder.down.{number}.block.0.conv1.weight" in own:
        number += 1
    return number


def _shapes(tensors: Mapping[str, Tensor]) -> Shapes:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _config(family: str, part: str, shapes: Mapping[str, Shapes]) -> Config:
    if part == "unet":
        pooled = shapes["text_encoder_2"]["text_projection.weight"][0] if family == "sdxl" else 0
        return unet_config(family, shapes["unet"], pooled)
    if part == "vae":
        return vae_config(family, shapes["vae"])
    return text_config(family, part, shapes[part])


def _check(checkpoint: Checkpoint, part: str, config: Config, found: Shapes) -> None:
    """The network that the configuration makes has these tensors and no others.

    Raises:
        InvalidArgumentError: FOUNDATION_INVALID.
    """
    wanted = {_bare(name): shape for name, shape in _shapes(_network(part, config).state_dict()).items()}
    there = {_bare(name): shape for name, shape in found.items()}
    wrong = sorted(name for name in {*wanted, *there} if wanted.get(name) != there.get(name))
    if wrong:
        more = f" and {len(wrong) - _TOLD} more" if len(wrong) > _TOLD else ""
        raise invalid_foundation(
            checkpoint.path,
            f"its {part} is not built as the family's ({', '.join(wrong[:_TOLD])}{more}): name the model's diffusers "
            "folder instead",
        )


def _network(part: str, config: Config) -> Any:
    """The network without memory for its weights."""
    with init_empty_weights():
        if part == "unet":
            return UNet2DConditionModel.from_config(config)
        if part == "vae":
            return AutoencoderKL.from_config(config)
        cls = CLIPTextModelWithProjection if part == "text_encoder_2" else CLIPTextModel
        return cls(CLIPTextConfig.from_dict(config))


def _bare(name: str) -> str:
    """Versions of transformers differ in what they write before a text encoder's names."""
    return name.removeprefix("text_model.")
