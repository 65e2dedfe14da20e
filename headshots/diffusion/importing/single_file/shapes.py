"""Reads the configurations of networks from the shapes of their tensors, where a family leaves them open.

What shapes do not tell (activations, the number of attention heads) is the family's: see ``configs/``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]
Config = dict[str, Any]

# Width of an attention head of SDXL's UNet and of CLIP.
_HEAD_WIDTH = 64
_MICRO_CONDITIONS = 6


@cache
def _family(family: str) -> Mapping[str, Config]:
    value: dict[str, Config] = json.loads((Path(__file__).parent / "configs" / f"{family}.json").read_text("utf-8"))
    return value


def family_config(family: str, part: str) -> Config:
    """What is the same for all models of a family; ``part`` is a folder's name or ``model_index.json``."""
    return dict(_family(family)[part])


def unet_config(family: str, shapes: Shapes, pooled_width: int) -> Config:
    """Of a UNet whose tensors have diffusers' names. ``pooled_width``: of SDXL's second text encoder, else 0."""
    config = family_config(family, "unet")
    blocks = _count(lambda i: f"down_blocks.{i}.resnets.0.conv1.weight", shapes)
    widths = [shapes[f"down_blocks.{i}.resnets.0.conv1.weight"][0] for i in range(blocks)]
    depths = [_depth(f"down_blocks.{i}.attentions.0", shapes) for i in range(blocks)]
    attends = ["CrossAttn" if depth else "" for depth in depths]
    key = next(name for name in shapes if name.endswith("attn2.to_k.weight"))
    config |= {
        "block_out_channels": widths,
        "layers_per_block": _count(lambda j: f"down_blocks.0.resnets.{j}.conv1.weight", shapes),
        "transformer_layers_per_block": [depth or 1 for depth in depths],
        "down_block_types": [f"{attend}DownBlock2D" for attend in attends],
        "up_block_types": [f"{attend}UpBlock2D" for attend in reversed(attends)],
        "cross_attention_dim": shapes[key][1],
    }
    if family == "sdxl":
        added = shapes["add_embedding.linear_1.weight"][1]
        config |= {
            "attention_head_dim": [max(1, width // _HEAD_WIDTH) for width in widths],
            "projection_class_embeddings_input_dim": added,
            "addition_time_embed_dim": (added - pooled_width) // _MICRO_CONDITIONS,
        }
    return config


def vae_config(family: str, shapes: Shapes) -> Config:
    """Of an autoencoder whose tensors have diffusers' names."""
    config = family_config(family, "vae")
    blocks = _count(lambda i: f"encoder.down_blocks.{i}.resnets.0.conv1.weight", shapes)
    return config | {
        "block_out_channels": [shapes[f"encoder.down_blocks.{i}.resnets.0.conv1.weight"][0] for i in range(blocks)],
        "down_block_types": ["DownEncoderBlock2D"] * blocks,
        "up_block_types": ["UpDecoderBlock2D"] * blocks,
        "layers_per_block": _count(lambda j: f"encoder.down_blocks.0.resnets.{j}.conv1.weight", shapes),
        "latent_channels": shapes["decoder.conv_in.weight"][1],
    }


def text_config(family: str, part: str, shapes: Shapes) -> Config:
    """Of CLIP's text encoder whose tensors have the names of transformers."""
    config = family_config(family, part)
    named = {name.removeprefix("text_model."): shape for name, shape in shapes.items()}
    words, width = named["embeddings.token_embedding.weight"]
    config |= {
        "vocab_size": words,
        "hidden_size": width,
        "num_attention_heads": max(1, width // _HEAD_WIDTH),
        "intermediate_size": named["encoder.layers.0.mlp.fc1.weight"][0],
        "num_hidden_layers": _count(lambda i: f"encoder.layers.{i}.mlp.fc1.weight", named),
        "max_position_embeddings": named["embeddings.position_embedding.weight"][0],
    }
    if "text_projection.weight" in named:
        config["projection_dim"] = named["text_projection.weight"][0]
    return config


def _depth(attention: str, shapes: Shapes) -> int:
    """Transformer blocks of an attention; 0 where there is none."""
    return _count(lambda i: f"{attention}.transformer_blocks.{i}.norm1.weight", shapes)


def _count(name: Callable[[int], str], shapes: Shapes) -> int:
    """How many there are in a row, from 0."""
    number = 0
    while name(number) in shapes:
        number += 1
    return number
