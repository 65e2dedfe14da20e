"""Makes the foundation's parts as stock diffusers and transformers models, and keeps them in a work folder."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from foundry.latents import CHANNELS
from foundry.tokens import MAX_TOKENS

LATENT_SIZE = 16
CONTEXT_WIDTH = 128
SCHEDULE = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
}


def make_unet(channels: int = CHANNELS) -> UNet2DConditionModel:
    """8.6M parameters; ``channels``: of the latents.

    No attention at 16 x 16: it took half of the time of a step on a CPU (docs/foundation.md).
    """
    return UNet2DConditionModel(
        sample_size=LATENT_SIZE,
        in_channels=channels,
        out_channels=channels,
        block_out_channels=(64, 128, 160),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4, 5),  # diffusers takes the number of heads here: 32 channels a head
        cross_attention_dim=CONTEXT_WIDTH,
        norm_num_groups=16,
    )


def make_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """Two layers over the world's words; trained together with the UNet."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=CONTEXT_WIDTH,
            intermediate_size=4 * CONTEXT_WIDTH,
            projection_dim=CONTEXT_WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=MAX_TOKENS,
            hidden_act="quick_gelu",
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def make_autoencoder(channels: int = CHANNELS) -> AutoencoderKL:
    """Eight times down, ``channels`` latent channels, a slim encoder and decoder without attention."""
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        latent_channels=channels,
        block_out_channels=(16, 32, 64, 96),
        layers_per_block=1,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=8,
        sample_size=8 * LATENT_SIZE,
        scaling_factor=1.0,
        mid_block_add_attention=False,
    )


def load_weights(path: Path) -> dict[str, dict[str, torch.Tensor]]:
    """The averaged weights that a stage left in the work folder, by model name."""
    state: dict[str, dict[str, torch.Tensor]] = torch.load(path, map_location="cpu", weights_only=True)
    return state
