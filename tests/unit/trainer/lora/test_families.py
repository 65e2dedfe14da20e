"""Captions and pictures are encoded as diffusers' own pipelines do it, for both families; SDXL trains."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

from headshots.diffusion.foundations.foundation import Foundation
from services.trainer.lora.adapted import AdaptedUNet
from services.trainer.lora.batches import Material
from services.trainer.lora.frozen import encode_captions, encode_pictures, load_unet, load_vae, noise_levels
from services.trainer.lora.loop import Run
from services.trainer.lora.objective import Objective, Places
from services.trainer.lora.recipe import Recipe
from tests.support.tiny import make_tiny_foundation

CPU = torch.device("cpu")
CAPTIONS = ["photo of a sks man", "", "headshot"]


@pytest.fixture(scope="module")
def sd15(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_foundation(tmp_path_factory.mktemp("sd15") / "tiny")


@pytest.fixture(scope="module")
def sdxl(sd15: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny foundation with a second text encoder, and a UNet that asks for what SDXL's does."""
    path = tmp_path_factory.mktemp("sdxl") / "tiny"
    shutil.copytree(sd15, path)
    shutil.copytree(path / "tokenizer", path / "tokenizer_2")
    first = json.loads((path / "text_encoder" / "config.json").read_text())
    torch.manual_seed(1)
    same = {name: first[name] for name in ("vocab_size", "num_hidden_layers", "num_attention_heads", "eos_token_id")}
    config = CLIPTextConfig(
        **same,
        bos_token_id=first["bos_token_id"],
        pad_token_id=first["pad_token_id"],
        max_position_embeddings=first["max_position_embeddings"],
        hidden_size=48,
        intermediate_size=64,
        projection_dim=24,
    )
    CLIPTextModelWithProjection(config).save_pretrained(path / "text_encoder_2")
    shutil.rmtree(path / "unet")
    UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=32 + 48,
        attention_head_dim=2,
        norm_num_groups=8,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=24 + 6 * 8,
    ).save_pretrained(path / "unet")
    index = json.loads((path / "model_index.json").read_text())
    index |= {
        "_class_name": "StableDiffusionXLPipeline",
        "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
        "tokenizer_2": ["transformers", "CLIPTokenizer"],
        "force_zeros_for_empty_prompt": True,
    }
    del index["safety_checker"], index["requires_safety_checker"]
    (path / "model_index.json").write_text(json.dumps(index))
    return path


@pytest.mark.filterwarnings("ignore")
def test_sd15_text_is_the_pipelines(sd15: Path) -> None:
    conditions = encode_captions(Foundation.read(sd15), CAPTIONS, CPU)
    pipeline = StableDiffusionPipeline.from_pretrained(sd15, safety_checker=None)
    with torch.no_grad():
        expected, _ = pipeline.encode_prompt(CAPTIONS, CPU, 1, False)
    torch.testing.assert_close(conditions.context_KND, expected)
    assert conditions.rows(torch.tensor([1]))[1] is None


@pytest.mark.filterwarnings("ignore")
def test_sdxl_text_is_the_pipelines(sdxl: Path) -> None:
    conditions = encode_captions(Foundation.read(sdxl), CAPTIONS, CPU)
    pipeline = StableDiffusionXLPipeline.from_pretrained(sdxl)
    with torch.no_grad():
        for number, caption in enumerate(CAPTIONS):
            context, empty, pooled, empty_pooled = pipeline.encode_prompt(caption, device=CPU)
            expected = (context, pooled) if caption else (empty, empty_pooled)
            found, added = conditions.rows(torch.tensor([number]))
            torch.testing.assert_close(found, expected[0])
            assert added is not None
            torch.testing.assert_close(added["text_embeds"], expected[1])
            assert added["time_ids"].tolist() == [[64.0, 64.0, 0.0, 0.0, 64.0, 64.0]]


def test_pictures_are_encoded_in_the_unets_scale(sd15: Path) -> None:
    foundation = Foundation.read(sd15)
    pictures = [np.full((64, 64, 3), value, np.uint8) for value in (0, 128, 255)]
    latents = encode_pictures(load_vae(foundation, CPU), pictures, CPU)
    assert latents.shape == (3, 4, 8, 8)
    pipeline = StableDiffusionPipeline.from_pretrained(sd15, safety_checker=None)
    pixels = pipeline.image_processor.preprocess(np.stack(pictures).astype(np.float32) / 255)
    with torch.no_grad():
        expected = pipeline.vae.encode(pixels).latent_dist.mode() * foundation.scaling_factor
    torch.testing.assert_close(latents, expected, rtol=1e-3, atol=1e-4)


def test_sdxl_trains(sdxl: Path) -> None:
    foundation = Foundation.read(sdxl)
    assert foundation.family == "sdxl"
    recipe = Recipe(steps=3, rank=2, batch_rows=2, caption_dropout=0.5)
    material = Material(
        torch.randn(2, 4, 8, 8),
        Places.of_photos([torch.ones(8, 8)] * 2),
        torch.randn(2, 4, 8, 8),
        encode_captions(foundation, CAPTIONS, CPU),
    )
    objective = Objective(noise_levels(foundation), False, recipe.snr_gamma)
    adapted = AdaptedUNet(load_unet(foundation, CPU), foundation.adapted_layers, recipe, CPU)
    run = Run(adapted, objective, material, replace(recipe, prior_rows=1), CPU)
    assert [step.number for step in run.steps()] == [1, 2, 3]
    assert all(np.abs(matrix).max() > 0 for matrix in run.weights().values())
