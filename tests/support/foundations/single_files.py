"""Tiny models of both families as one safetensors file, under the names that their original code gives tensors.

The names are written down here from the original code's modules, apart from the converters that are tested.
"""

from __future__ import annotations

import functools
import gzip
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from headshots.diffusion.importing.single_file.vocabulary import Packages
from tests.support.faces.packages import write_wheel
from tests.support.foundations.engines import scratch

TENSORS = dict[str, Tensor]
_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_UNET_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_VAE_NAMES = {
    "conv_shortcut": "nin_shortcut",
    "conv_norm_out": "norm_out",
    "mid_block.resnets.0": "mid.block_1",
    "mid_block.resnets.1": "mid.block_2",
    "mid_block.attentions.0": "mid.attn_1",
    "group_norm": "norm",
    "to_q": "q",
    "to_k": "k",
    "to_v": "v",
    "to_out.0": "proj_out",
    "downsamplers.0.conv": "downsample.conv",
    "upsamplers.0.conv": "upsample.conv",
}
_OPEN_CLIP = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}
# Merges of a vocabulary of a few words; bytes spell the rest.
_MERGES = ("t h", "th e</w>", "p h", "o t", "ph ot", "phot o</w>", "s k", "sk s</w>", "m a", "ma n</w>", "o f</w>")


@functools.cache
def toy_packages() -> Packages:
    """A package that carries a small vocabulary in the place of CLIP's, in a folder."""
    folder = scratch() / "vocabulary"
    folder.mkdir(exist_ok=True)
    text = "\n".join(["version", *_MERGES, ""])
    package = write_wheel(folder, gzip.compress(text.encode(), mtime=0))
    return Packages([folder], {}, package)


@functools.cache
def networks(family: str) -> Mapping[str, nn.Module]:
    """The networks of a tiny model by their part, in diffusers' classes: the truth. Never changed by a test."""
    torch.manual_seed(len(family))
    words = 2 * 256 + len(_MERGES) + 2
    clip: dict[str, Any] = {
        "vocab_size": words, "hidden_size": 64, "num_attention_heads": 1, "intermediate_size": 96,
        "num_hidden_layers": 2, "max_position_embeddings": 77, "bos_token_id": 0, "eos_token_id": 2,
    }  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(32, 32, 64, 64), down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4, layers_per_block=1, latent_channels=4,
        scaling_factor=0.13025 if family == "sdxl" else 0.18215,
    )  # fmt: skip
    first = CLIPTextModel(CLIPTextConfig(**clip, hidden_act="quick_gelu"))
    if family == "sd15":
        return {"text_encoder": first, "vae": vae, "unet": _sd15_unet()}
    clip |= {"hidden_size": 128, "num_attention_heads": 2, "num_hidden_layers": 3}
    second = CLIPTextModelWithProjection(CLIPTextConfig(**clip, hidden_act="gelu", projection_dim=32))
    return {"text_encoder": first, "text_encoder_2": second, "vae": vae, "unet": _sdxl_unet()}


def _sd15_unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        block_out_channels=(32, 64), layers_per_block=2, cross_attention_dim=64, attention_head_dim=8,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    )  # fmt: skip


def _sdxl_unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        block_out_channels=(64, 128), layers_per_block=1, cross_attention_dim=64 + 128, attention_head_dim=(1, 2),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), transformer_layers_per_block=(1, 2),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), use_linear_projection=True,
        addition_embed_type="text_time", addition_time_embed_dim=32, projection_class_embeddings_input_dim=6 * 32 + 32,
    )  # fmt: skip


def tensors(family: str) -> TENSORS:
    """The tiny model's tensors under their original names."""
    found = original(family, networks(family))
    return {name: value.detach().clone().contiguous() for name, value in found.items()}


def original(family: str, parts: Mapping[str, nn.Module]) -> TENSORS:
    """The tensors of networks of diffusers' classes, by their part, under their original names."""
    found = {f"model.diffusion_model.{name}": value for name, value in _unet(parts["unet"]).items()}
    found |= {f"first_stage_model.{name}": value for name, value in _vae(parts["vae"]).items()}
    clip = "conditioner.embedders.0.transformer." if family == "sdxl" else "cond_stage_model.transformer."
    found |= {f"{clip}text_model.{name}": value for name, value in bare(parts["text_encoder"]).items()}
    if family == "sdxl":
        found |= {f"conditioner.embedders.1.model.{k}": v for k, v in _open_clip(parts["text_encoder_2"]).items()}
    return found


def write_single(
    path: Path, family: str, *extra: str, half: bool = False, all_words: bool = False, **metadata: str
) -> Path:
    """The model in one file.

    ``extra``: names of further tensors, as ``v_pred``, which hold nothing. ``all_words``: its text encoders know CLIP's
    whole vocabulary, random beyond what the tiny ones know.
    """
    found = tensors(family) | {name: torch.zeros(0) for name in extra}
    if all_words:
        found |= {name: _lengthened(value) for name, value in found.items() if "token_embedding" in name}
    if half:
        found = {name: value.half() for name, value in found.items()}
    save_file(found, path, metadata={"format": "pt", **metadata})
    return path


def _lengthened(embedding: Tensor) -> Tensor:
    """[CLIP's words, width]."""
    torch.manual_seed(0)
    more = torch.randn(49408 - len(embedding), embedding.shape[1]) * embedding.std()
    return torch.cat([embedding, more])


def bare(module: nn.Module) -> TENSORS:
    """Tensors of a text encoder without what versions of transformers write before their names."""
    return {name.removeprefix("text_model."): value for name, value in module.state_dict().items()}


def original_unet_name(folder: Path) -> Callable[[str], str]:
    """Gives the tensors of the foundation's UNet the names that the original code has for them."""
    config = json.loads((folder / "unet" / "config.json").read_text())
    attends = [kind.startswith("CrossAttn") for kind in config["up_block_types"]]
    return lambda name: _unet_name(name, config["layers_per_block"] + 1, attends)


def _unet(unet: nn.Module) -> TENSORS:
    config: Any = unet.config
    attends = [kind.startswith("CrossAttn") for kind in config.up_block_types]
    return {_unet_name(name, config.layers_per_block + 1, attends): v for name, v in unet.state_dict().items()}


def _unet_name(name: str, per_block: int, attends: Sequence[bool]) -> str:
    for new, old in _UNET_ENDS.items():
        if name.startswith(f"{new}."):
            return name.replace(new, old, 1)
    if found := re.match(r"(down|up)_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.*)", name):
        side, block, kind, layer, rest = found.groups()
        number = int(block) * per_block + int(layer) + (side == "down")
        where = f"{'input' if side == 'down' else 'output'}_blocks.{number}"
        return f"{where}.0.{_resnet(rest)}" if kind == "resnets" else f"{where}.1.{rest}"
    if found := re.match(r"down_blocks\.(\d+)\.downsamplers\.0\.conv\.(.*)", name):
        return f"input_blocks.{(int(found[1]) + 1) * per_block}.0.op.{found[2]}"
    if found := re.match(r"up_blocks\.(\d+)\.upsamplers\.0\.conv\.(.*)", name):
        # It comes after a resnet, and after an attention where the block has some.
        place = 2 if attends[int(found[1])] else 1
        return f"output_blocks.{(int(found[1]) + 1) * per_block - 1}.{place}.conv.{found[2]}"
    if found := re.match(r"mid_block\.resnets\.(\d)\.(.*)", name):
        return f"middle_block.{2 * int(found[1])}.{_resnet(found[2])}"
    found = re.match(r"mid_block\.attentions\.0\.(.*)", name)
    assert found is not None, name
    return f"middle_block.1.{found[1]}"


def _resnet(rest: str) -> str:
    new, _, end = rest.rpartition(".")
    return f"{_RESNET[new]}.{end}"


def _vae(vae: nn.Module) -> TENSORS:
    config: Any = vae.config
    blocks = len(config.block_out_channels)
    made = {}
    for name, value in vae.state_dict().items():
        # The original attention is made of convolutions of one pixel.
        is_linear = "attentions" in name and value.ndim == 2
        made[_vae_name(name, blocks)] = value[:, :, None, None] if is_linear else value
    return made


def _vae_name(name: str, blocks: int) -> str:
    for new, old in _VAE_NAMES.items():
        name = name.replace(f"{new}.", f"{old}.") if f".{new}." in name else name
    name = re.sub(r"down_blocks\.(\d+)\.", r"down.\1.", name)
    name = re.sub(r"up_blocks\.(\d+)\.", lambda found: f"up.{blocks - 1 - int(found[1])}.", name)
    return name.replace(".resnets.", ".block.")


def _open_clip(encoder: nn.Module) -> TENSORS:
    own = bare(encoder)
    made = {
        "positional_embedding": own["embeddings.position_embedding.weight"],
        "token_embedding.weight": own["embeddings.token_embedding.weight"],
        "ln_final.weight": own["final_layer_norm.weight"],
        "ln_final.bias": own["final_layer_norm.bias"],
        "text_projection": own["text_projection.weight"].T,
        "logit_scale": torch.ones(()),
    }
    config: Any = encoder.config
    for number in range(config.num_hidden_layers):
        layer, block = f"encoder.layers.{number}", f"transformer.resblocks.{number}"
        for kind in ("weight", "bias"):
            three = [own[f"{layer}.self_attn.{which}_proj.{kind}"] for which in "qkv"]
            made[f"{block}.attn.in_proj_{kind}"] = torch.cat(three)
            made |= {f"{block}.{old}.{kind}": own[f"{layer}.{new}.{kind}"] for new, old in _OPEN_CLIP.items()}
    return made
