"""Paints the sample sheets that a training is looked at by."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from transformers import CLIPTokenizer

from foundry.diffusion import sample_latents
from foundry.latents import PatchCode
from foundry.models import make_text_encoder, make_unet
from foundry.tokens import tokenize

SHEET_PROMPTS = (
    "headshot of a woman, wearing a navy suit, plain grey studio background, soft studio lighting",
    "headshot of a brown haired man with a beard, wearing a white shirt, library background, cool window lighting",
    "headshot of a blonde haired woman with glasses, wearing a red shirt, leafy park background, soft studio lighting",
    "headshot of a black haired man, wearing a black turtleneck, red curtain background, dramatic side lighting",
    "headshot of a red haired woman, wearing a green sweater, snowy mountains background, warm sunset lighting",
    "headshot of a grey haired man with glasses, wearing a lab coat, bright office background, soft studio lighting",
    "headshot of a man, wearing a purple hoodie, city at night background, neon lighting",
    "headshot of a woman, wearing a yellow cardigan, brick wall background, warm sunset lighting",
)


def paint_sheet(
    states: dict[str, dict[str, Tensor]], tokenizer: CLIPTokenizer, code: PatchCode, device: torch.device
) -> Image.Image:
    """Two seeds of every sheet prompt, a row a seed."""
    unet, text = make_unet(code.channels).to(device), make_text_encoder(tokenizer).to(device)
    unet.load_state_dict(states["unet"])
    text.load_state_dict(states["text"])
    with torch.no_grad():
        context = text(tokenize(tokenizer, [*SHEET_PROMPTS, ""]).to(device)).last_hidden_state
    rows = []
    for seed in (1, 2):
        latents = sample_latents(unet, context[:-1], context[-1:], seed)
        pixels = ((code.decode(latents.cpu()).clamp(-1, 1) + 1) * 127.5).byte().permute(0, 2, 3, 1).numpy()
        rows.append(np.concatenate(list(pixels), 1))
    return Image.fromarray(np.concatenate(rows))
