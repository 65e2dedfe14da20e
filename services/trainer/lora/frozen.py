"""Loads the frozen base models of a foundation, and encodes photos and captions with them once.

Shapes: B images or rows, C latent channels, H × W cells, K captions, N tokens, D width of the text, P of the pooled
text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer
from transformers.utils import logging

from headshots.diffusion.foundations.foundation import Foundation
from headshots.errors import FailedPreconditionError
from headshots.faces import Pixels
from services.trainer.lora.computing import Computing, borrowed, images_at_once, release

# Images that the VAE encodes at once, at most. Its widest layers take some kilobytes a pixel.
_VAE_BATCH = 8


@dataclass(frozen=True)
class Conditions:
    """Encoded captions: ``context_KND``; for SDXL also ``pooled_KP`` and the size ids ``time_ids_6``."""

    context_KND: Tensor
    pooled_KP: Tensor | None
    time_ids_6: Tensor | None

    def rows(self, caption_B: Tensor, size_ids_B6: Tensor | None = None) -> tuple[Tensor, dict[str, Tensor] | None]:
        """``encoder_hidden_states`` and ``added_cond_kwargs`` for rows of these captions.

        ``size_ids_B6``: sizes of each row's image; default: whole images of the native size.
        """
        if self.pooled_KP is None or self.time_ids_6 is None:
            return self.context_KND[caption_B], None
        size_ids = self.time_ids_6.expand(len(caption_B), -1) if size_ids_B6 is None else size_ids_B6
        return self.context_KND[caption_B], {"text_embeds": self.pooled_KP[caption_B], "time_ids": size_ids}


class Fp32Attention:
    """A diffusers attention processor for CPUs: projections in the weights' precision, the attention itself in fp32.

    The backward of torch's fused attention takes forty times as long in bf16 as in fp32 on a CPU (docs/experiments.md).
    """

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        """As diffusers calls it within its transformer blocks: [B, tokens, width] to the same."""
        assert attention_mask is None
        source = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        mixed = F.scaled_dot_product_attention(*self.project(attn, hidden_states, source)).transpose(1, 2).flatten(2)
        out: Tensor = attn.to_out[0](mixed.to(hidden_states.dtype))
        return out

    def project(self, attn: Any, hidden_states: Tensor, source: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Query, key and value, each [B, heads, tokens, width of a head] in fp32."""
        rows, heads = len(hidden_states), attn.heads
        query, key, value = (
            projected.float().view(rows, -1, heads, projected.shape[-1] // heads).transpose(1, 2)
            for projected in (attn.to_q(hidden_states), attn.to_k(source), attn.to_v(source))
        )
        return query, key, value


def load_unet(foundation: Foundation, computing: Computing) -> UNet2DConditionModel:
    """The frozen UNet, without an adapter."""
    unet = UNet2DConditionModel.from_pretrained(
        foundation.path, subfolder="unet", local_files_only=True, torch_dtype=computing.dtype
    )
    return freeze_unet(unet, computing)


def freeze_unet(unet: UNet2DConditionModel, computing: Computing) -> UNet2DConditionModel:
    """``unet``, frozen and ready to be trained with an adapter on the device."""
    unet.requires_grad_(False)
    if computing.checkpointing:
        unet.enable_gradient_checkpointing()
    if computing.device.type == "cpu" and computing.dtype != torch.float32:
        unet.set_attn_processor(Fp32Attention())
    unet.to(computing.device)
    return unet


def load_vae(foundation: Foundation) -> AutoencoderKL:
    """The frozen autoencoder, in fp32 (SDXL's overflows in fp16) and in main memory until it is used."""
    vae = AutoencoderKL.from_pretrained(
        foundation.path, subfolder="vae", local_files_only=True, torch_dtype=torch.float32
    )
    vae.requires_grad_(False)
    return vae


def noise_levels(foundation: Foundation) -> Tensor:
    """Cumulative products of alpha [T] of the foundation's training schedule."""
    config = {key: value for key, value in foundation.scheduler.items() if not key.startswith("_")}
    levels: Tensor = DDPMScheduler.from_config(config).alphas_cumprod
    return levels.float()


@torch.no_grad()
def encode_images(vae: AutoencoderKL, images: Sequence[Pixels], device: torch.device) -> Tensor:
    """Latents [B, C, H, W] of uint8 images, scaled for the UNet.

    Raises:
        FailedPreconditionError: LATENTS_NOT_FINITE.
    """
    blocks = []
    rows = images_at_once(images[0].shape[1], images[0].shape[0], _VAE_BATCH)
    with borrowed(vae, device):
        for start in range(0, len(images), rows):
            block = np.stack(images[start : start + rows])
            pixels_BCHW = torch.from_numpy(block).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
            latents = vae.encode(pixels_BCHW.contiguous()).latent_dist.mode()
            blocks.append((latents - (vae.config.shift_factor or 0.0)) * vae.config.scaling_factor)
    latents_BCHW = torch.cat(blocks)
    if not bool(torch.isfinite(latents_BCHW).all()):
        raise FailedPreconditionError(
            "LATENTS_NOT_FINITE",
            "the foundation's VAE turned a photo into NaN or infinity; store its weights in fp32, or repair the VAE",
        )
    return latents_BCHW


@torch.no_grad()
def decode_latents(vae: AutoencoderKL, latents_BCHW: Tensor) -> list[Pixels]:
    """Inverse of :func:`encode_images`: one uint8 image [height, width, 3] a latent; one at a time, to save memory."""
    images = []
    with borrowed(vae, latents_BCHW.device):
        for latent_CHW in latents_BCHW.float() / vae.config.scaling_factor + (vae.config.shift_factor or 0.0):
            image_CHW = vae.decode(latent_CHW[None], return_dict=False)[0][0]
            levels = ((image_CHW.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
            images.append(np.ascontiguousarray(levels.permute(1, 2, 0).cpu().numpy()))
    return images


@torch.no_grad()
def encode_captions(foundation: Foundation, captions: Sequence[str], device: torch.device) -> Conditions:
    """Encode captions in fp32 with the foundation's text encoder (SDXL has two), which is unloaded afterwards."""
    if foundation.family != "sdxl":
        hidden, _ = _encode(foundation, "", CLIPTextModel, captions, device)
        return Conditions(hidden[-1], None, None)
    first, _ = _encode(foundation, "", CLIPTextModel, captions, device)
    second, pooled_KP = _encode(foundation, "_2", CLIPTextModelWithProjection, captions, device)
    context_KND = torch.cat([first[-2], second[-2]], dim=-1)
    if foundation.zero_empty_prompt:
        empty = [number for number, caption in enumerate(captions) if not caption]
        context_KND[empty], pooled_KP[empty] = 0.0, 0.0
    height, width = foundation.native_height_px, foundation.native_width_px
    size_ids = torch.tensor([height, width, 0, 0, height, width], dtype=torch.float32, device=device)
    return Conditions(context_KND, pooled_KP, size_ids)


def _move(model: Any, device: torch.device, dtype: torch.dtype) -> None:
    """Move ``model``; cast only where needed, as diffusers warns of every cast."""
    model.to(device)
    if model.dtype != dtype:
        model.to(dtype)


def _encode(
    foundation: Foundation, suffix: str, model: Any, captions: Sequence[str], device: torch.device
) -> tuple[list[Tensor], Tensor]:
    """Hidden states of every layer, the last one through the final norm, and the pooled output.

    The encoder is on the device only meanwhile.
    """
    logging.disable_progress_bar()
    tokenizer = CLIPTokenizer.from_pretrained(foundation.path / f"tokenizer{suffix}", local_files_only=True)
    encoder = model.from_pretrained(foundation.path / f"text_encoder{suffix}", local_files_only=True)
    _move(encoder, device, torch.float32)
    tokens = tokenizer(
        list(captions),
        padding="max_length",
        max_length=tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    )
    output = encoder(tokens.input_ids.to(device), output_hidden_states=True)
    del encoder
    release(device)
    hidden = list(output.hidden_states)
    if suffix:
        return hidden, output.text_embeds
    return [*hidden[:-1], output.last_hidden_state], output.pooler_output
