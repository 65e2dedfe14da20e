"""Makes foundations of real shapes with random weights: speed does not depend on what a network has learnt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from headshots.diffusion.export.ensure import ensure_package_in_child
from headshots.diffusion.export.options import ExportOptions
from headshots.diffusion.package import EnginePackage
from tests.support.foundations.tiny import make_tiny_foundation, make_tiny_sdxl

_TOKENS = 77
_CROSS_DOWN, _CROSS_UP = "CrossAttnDownBlock2D", "CrossAttnUpBlock2D"


@dataclass(frozen=True)
class Shape:
    """A family's UNet at its native size.

    Attributes:
        cells: height and width of the latent.
        unet: what ``UNet2DConditionModel`` is made with; None leaves the tests' tiny one.
        text_widths: hidden sizes of the text encoders.
    """

    name: str
    cells: int
    sdxl: bool
    unet: Mapping[str, Any] | None
    text_widths: tuple[int, ...]


SHAPES = {
    "sd15-512": Shape(
        name="sd15-512",
        cells=64,
        sdxl=False,
        unet={
            "sample_size": 64,
            "block_out_channels": (320, 640, 1280, 1280),
            "down_block_types": (_CROSS_DOWN, _CROSS_DOWN, _CROSS_DOWN, "DownBlock2D"),
            "up_block_types": ("UpBlock2D", _CROSS_UP, _CROSS_UP, _CROSS_UP),
            "cross_attention_dim": 768,
            "attention_head_dim": 8,
        },
        text_widths=(768,),
    ),
    "sdxl-1024": Shape(
        name="sdxl-1024",
        cells=128,
        sdxl=True,
        unet={
            "sample_size": 128,
            "block_out_channels": (320, 640, 1280),
            "down_block_types": ("DownBlock2D", _CROSS_DOWN, _CROSS_DOWN),
            "up_block_types": (_CROSS_UP, _CROSS_UP, "UpBlock2D"),
            "cross_attention_dim": 2048,
            "attention_head_dim": (5, 10, 20),
            "transformer_layers_per_block": (1, 2, 10),
            "use_linear_projection": True,
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": 2816,
        },
        text_widths=(768, 1280),
    ),
}
TINY = Shape("tiny-64", 8, False, None, ())
"""For going through the code where there is no GPU; its times mean nothing."""


def make_foundation(shape: Shape, folder: Path) -> Path:
    """A diffusers folder of ``shape``, made once: the UNet whole, text encoders of two layers, a tiny VAE."""
    path = folder / shape.name
    if (path / "made").is_file():
        return path
    made = (make_tiny_sdxl if shape.sdxl else make_tiny_foundation)(path)
    if shape.unet is not None:
        torch.manual_seed(0)
        UNet2DConditionModel(**shape.unet).half().save_pretrained(made / "unet")
        for suffix, width in zip(("", "_2"), shape.text_widths, strict=False):
            _save_text_encoder(made, suffix, width)
    (path / "made").touch()
    return path


def prepare(shape: Shape, folder: Path, options: ExportOptions) -> tuple[Path, EnginePackage]:
    """The foundation and its package, made where they are not there yet."""
    foundation = make_foundation(shape, folder)
    return foundation, EnginePackage.read(ensure_package_in_child(foundation, folder / "engines", options))


def _save_text_encoder(path: Path, suffix: str, width: int) -> None:
    config = CLIPTextConfig(
        hidden_size=width,
        intermediate_size=width,
        num_hidden_layers=2,
        num_attention_heads=width // 64,
        max_position_embeddings=_TOKENS,
        projection_dim=width,
    )
    cls = CLIPTextModelWithProjection if suffix else CLIPTextModel
    cls(config).half().save_pretrained(path / f"text_encoder{suffix}")
    settings = path / f"tokenizer{suffix}" / "tokenizer_config.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "model_max_length": _TOKENS}))
