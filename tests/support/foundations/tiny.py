"""A tiny Stable Diffusion of a few hundred thousand random weights, made in seconds, for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import yaml
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from headshots.diffusion.lora.layout import ATTENTION_LAYERS, MORE_LAYERS

TRIGGER = "sks"
_WORDS = f"a photo headshot portrait of person man woman wearing suit navy studio light {TRIGGER} in and with soft grey"
_START, _END = "<|startoftext|>", "<|endoftext|>"
# Room for any style of the library, most of whose words fall to letters here.
_MAX_TOKENS = 128
_SETTINGS = {
    "sampler": "ddim",
    "steps": 6,
    "guidance_scale": 3.0,
    "adapter_guidance_scale": 4.0,
    "trigger": TRIGGER,
    "prompt_template": "portrait of {subject} wearing {outfit} {backdrop} {lighting} {framing}",
    "class_nouns": ["person", "man", "woman"],
    "adapted_layers": [*ATTENTION_LAYERS, *MORE_LAYERS],
    "training": {"steps": 4, "rank": 4, "learning_rate": 0.001, "batch_rows": 2},
}


def make_tiny_foundation(
    path: Path, *, prediction_type: str = "epsilon", latent_channels: int = 4, seed: int = 0
) -> Path:
    """Write a diffusers folder: 64 x 64 pixels, 8 x 8 latents, random weights drawn from `seed`; returns `path`."""
    torch.manual_seed(seed)
    path.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer(path / "tokenizer")
    # In this order, as each draws its weights from one stream.
    text_encoder = CLIPTextModel(_text_config(tokenizer, hidden_size=32, num_hidden_layers=2))
    unet = _unet(latent_channels)
    vae = _vae(latent_channels)
    scheduler = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type=prediction_type,
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )
    StableDiffusionPipeline(
        vae=vae.eval(),
        text_encoder=text_encoder.eval(),
        tokenizer=tokenizer,
        unet=unet.eval(),
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(path)
    (path / "headshots.yaml").write_text(yaml.safe_dump(_SETTINGS))
    return path


def make_tiny_sdxl(path: Path, *, seed: int = 0) -> Path:
    """Write an SDXL-shaped diffusers folder: two text encoders, pooled embedding, time ids; 64 x 64 pixels."""
    torch.manual_seed(seed)
    path.mkdir(parents=True, exist_ok=True)
    tokenizer, tokenizer_2 = _tokenizer(path / "tokenizer"), _tokenizer(path / "tokenizer_2")
    # In this order, as each draws its weights from one stream.
    unet = _sdxl_unet()
    vae = _vae(4, scaling_factor=0.13025)
    first = CLIPTextModel(_text_config(tokenizer, hidden_size=40, hidden_act="quick_gelu", num_hidden_layers=3))
    second = CLIPTextModelWithProjection(
        _text_config(tokenizer, hidden_size=24, hidden_act="gelu", projection_dim=24, num_hidden_layers=3)
    )
    scheduler = EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="leading", steps_offset=1
    )
    StableDiffusionXLPipeline(
        vae=vae.eval(),
        text_encoder=first.eval(),
        text_encoder_2=second.eval(),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer_2,
        unet=unet.eval(),
        scheduler=scheduler,
        add_watermarker=False,
    ).save_pretrained(path)
    (path / "headshots.yaml").write_text(yaml.safe_dump({"steps": 5, "guidance_scale": 4.0, "trigger": TRIGGER}))
    return path


def _text_config(tokenizer: CLIPTokenizer, **shape: Any) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        intermediate_size=64,
        num_attention_heads=2,
        max_position_embeddings=_MAX_TOKENS,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **shape,
    )


def smallest_unet(**changed: Any) -> UNet2DConditionModel:
    """A UNet of two small levels, the second with attention, random as torch is; `changed`: of its shape."""
    shape: dict[str, Any] = {
        "sample_size": 8,
        "block_out_channels": (8, 16),
        "layers_per_block": 1,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": 8,
        "attention_head_dim": 2,
        "norm_num_groups": 4,
    }
    return UNet2DConditionModel(**shape | changed)


def _unet(latent_channels: int) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=latent_channels,
        out_channels=latent_channels,
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=32,
        attention_head_dim=2,
        norm_num_groups=8,
    )


def _sdxl_unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=64,
        attention_head_dim=(2, 4),
        transformer_layers_per_block=(1, 2),
        norm_num_groups=8,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=8 * 6 + 24,
    )


def _vae(latent_channels: int, **more: Any) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(16, 16, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        latent_channels=latent_channels,
        norm_num_groups=8,
        sample_size=64,
        **more,
    )


def _tokenizer(folder: Path) -> CLIPTokenizer:
    """A CLIP tokenizer over a handful of words; anything else falls to bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.BPE(continuing_subword_prefix="", end_of_word_suffix="</w>", unk_token=_END))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=1000,
        min_frequency=1,
        show_progress=False,
        special_tokens=[_START, _END],
        initial_alphabet=alphabet,
        end_of_word_suffix="</w>",
    )
    tokenizer.train_from_iterator(_WORDS.split(), trainer)
    state = json.loads(tokenizer.to_str())["model"]
    made = ["".join(pair) for pair in state["merges"]]
    names = dict.fromkeys([_START, _END, *alphabet, *[letter + "</w>" for letter in alphabet], *made])
    (folder / "vocab.json").write_text(json.dumps({name: index for index, name in enumerate(names)}))
    merges = "\n".join(" ".join(pair) for pair in state["merges"])
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n")
    made_tokenizer = CLIPTokenizer(
        vocab=str(folder / "vocab.json"),
        merges=str(folder / "merges.txt"),
        model_max_length=_MAX_TOKENS,
        pad_token=_END,
    )
    made_tokenizer.save_pretrained(folder)
    return made_tokenizer
