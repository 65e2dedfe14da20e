"""An SDXL training by the recipe of imported foundations fits a GPU of 16 GB, by what its tensors' shapes take.

No GPU was there: the counter is held against real tensors in ``test_computing``. The figures of docs/photographs.md are
printed by ``pytest -s``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
import yaml
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

from headshots.diffusion.importing.defaults import default_settings
from headshots.diffusion.lora.layout import ATTENTION_LAYERS
from services.trainer.lora.adapted import AdaptedUNet
from services.trainer.lora.batches import Rows
from services.trainer.lora.computing import Computing, images_at_once
from services.trainer.lora.frozen import Conditions, freeze_unet
from services.trainer.lora.objective import Objective
from services.trainer.lora.recipe import Recipe
from tests.support.trainer.device_memory import LiveBytes, bytes_of

META = torch.device("meta")
# As on CUDA; the meta device has no autocast, see `test_a_training_fits`.
COMPUTING = replace(Computing.on(torch.device("cuda")), device=META, autocast=False)
GIB = 1 << 30
# Of 16 GiB: CUDA's context and libraries take some 0.5 GiB; the rest is for gaps between blocks of the allocator.
ROOM = 15 * GIB
SETTINGS = yaml.safe_load(default_settings("sdxl", 1024, ""))
WIDTH, HEIGHT, TOKENS = SETTINGS["width_px"], SETTINGS["height_px"], 77
# Photos, class images and captions of a large training: twenty photos with all of their crops, as many captions.
LATENTS, CAPTIONS = 20 * 4 + SETTINGS["training"]["prior_images"], 128
# SDXL base's, of its UNet's, VAE's and second text encoder's config.json.
UNET: dict[str, Any] = {
    "sample_size": 128,
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": [1, 2, 10],
    "attention_head_dim": [5, 10, 20],
    "cross_attention_dim": 2048,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
    "use_linear_projection": True,
}
VAE: dict[str, Any] = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
    "sample_size": 1024,
}
TEXT: dict[str, Any] = {
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 20,
    "projection_dim": 1280,
}


@pytest.fixture(scope="module")
def adapted() -> AdaptedUNet:
    """SDXL's UNet with the recipe's adapter, without numbers."""
    default = torch.get_default_dtype()
    torch.set_default_dtype(COMPUTING.dtype)
    try:
        with META:
            unet = UNet2DConditionModel(**UNET)
    finally:
        torch.set_default_dtype(default)
    return AdaptedUNet(freeze_unet(unet, COMPUTING), ATTENTION_LAYERS, recipe(), COMPUTING)


def recipe() -> Recipe:
    """Of an imported SDXL."""
    known = Recipe.__dataclass_fields__
    return Recipe(**{name: value for name, value in SETTINGS["training"].items() if name in known})


def rows(count: int) -> tuple[Rows, Conditions]:
    def empty(*shape: int) -> torch.Tensor:
        return torch.empty(*shape, device=META)

    height, width, numbers = HEIGHT // 8, WIDTH // 8, torch.empty(count, dtype=torch.long, device=META)
    latents = (count, 4, height, width)
    made = Rows(
        empty(*latents), numbers, numbers, empty(*latents), empty(count), empty(count, height, width), empty(count, 6)
    )
    return made, Conditions(empty(CAPTIONS, TOKENS, 2048), empty(CAPTIONS, 1280), empty(6))


def resident(adapted: AdaptedUNet) -> dict[str, int]:
    """Bytes that are on the device from the first step to the last."""
    learned = bytes_of(adapted.parameters.values())
    _, conditions = rows(1)
    assert conditions.pooled_KP is not None
    return {
        "frozen weights": bytes_of(p for p in adapted.unet.parameters() if not p.requires_grad),
        "adapter": learned,
        "optimizer": 2 * learned,
        "cached latents": LATENTS * 4 * (HEIGHT // 8) * (WIDTH // 8) * 4,
        "cached captions": bytes_of([conditions.context_KND, conditions.pooled_KP]),
    }


def tell(what: str, parts: dict[str, int]) -> int:
    """Prints them; returns their sum."""
    total = sum(parts.values())
    told = ", ".join(f"{name} {size / GIB:.2f}" for name, size in parts.items())
    print(f"{what}: {total / GIB:.2f} GiB = {told}")
    return total


def test_a_training_fits(adapted: AdaptedUNet) -> None:
    wanted = recipe()
    assert (wanted.rank, wanted.batch_rows + wanted.prior_rows) == (16, 2)
    there = resident(adapted)
    assert 4.7 * GIB < there["frozen weights"] < 4.9 * GIB, "2.6 billion weights of two bytes"
    assert 80 << 20 < there["adapter"] < 100 << 20, "23 million weights of four bytes"
    made, conditions = rows(wanted.batch_rows + wanted.prior_rows)
    objective = Objective(torch.empty(1000, device=META), False, wanted.snr_gamma)
    with LiveBytes() as live:
        adapted.loss(conditions, objective, made).backward()  # type: ignore[no-untyped-call]
    # Attention is counted as if its products were kept, which kernels on GPUs do not. Autocast lets norms answer in
    # fp32: with every activation of twice the bytes whatever it does is counted.
    total = tell("training", {**there, "activations and gradients": live.peak})
    assert total + live.peak < ROOM


def test_portraits_of_a_checkpoint_fit_beside_the_training(adapted: AdaptedUNet) -> None:
    made, conditions = rows(2 * images_at_once(WIDTH, HEIGHT, 8))
    context, added = conditions.rows(made.caption_B)
    with torch.no_grad(), LiveBytes() as painting:
        adapted.unet(made.noisy_BCHW.bfloat16(), made.timestep_B, context.bfloat16(), added_cond_kwargs=added)
    assert tell("portraits", {**resident(adapted), "activations": painting.peak}) < ROOM
    # As class images are painted, by a pipeline whose text encoders are there too; nothing of the training is.
    with META:
        texts = CLIPTextModelWithProjection(CLIPTextConfig(**TEXT))
        vae = AutoencoderKL(**VAE)
    text, pixels = bytes_of(texts.parameters()), bytes_of(vae.parameters())
    # The first encoder has a fifth of the second's weights.
    pipeline = {"weights in bf16": resident(adapted)["frozen weights"] + (text * 6 // 5 + pixels) // 2}
    assert tell("class images", {**pipeline, "activations": painting.peak}) < ROOM
    assert tell("captions", {"text encoder in fp32": text, "its states": 34 * CAPTIONS * TOKENS * 1280 * 4}) < ROOM
    with torch.no_grad(), LiveBytes() as decoding:
        vae.decode(torch.empty(1, 4, HEIGHT // 8, WIDTH // 8, device=META))
    assert tell("decoding", {**resident(adapted), "VAE in fp32": pixels, "activations": decoding.peak}) < ROOM
    with torch.no_grad(), LiveBytes() as encoding:
        vae.encode(torch.empty(images_at_once(WIDTH, HEIGHT, 8), 3, HEIGHT, WIDTH, device=META))
    assert tell("encoding", {"VAE in fp32": pixels, "activations": encoding.peak}) < ROOM
