"""Prepares a foundation's networks for the tracer: example inputs, dynamic axes, and inputs to check on.

Shapes: B rows, C latent channels, H, W latent cells, T tokens, D context width, S slots, P floats of an adapter row.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from headshots.diffusion.banked.unet import BankedUNet
from headshots.diffusion.export.graphs import Traceable
from headshots.diffusion.export.options import ExportOptions
from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.networks import ContextEncoder, VaeDecoder, VaeEncoder

_CHECK_SLOTS = 4
"""Slots that the checks' bank fills, the empty one included."""
_HALVES = ("sample", "context", "strength", "bank", "pooled")
"""Inputs of the UNet that take its precision."""


def text_encoder_item(encoder: nn.Module, tokens: int, *, suffix: str, sdxl: bool) -> Traceable:
    """Prompt's token ids to context; the second encoder of SDXL also gives the pooled embedding."""
    config: Any = encoder.config

    def ids(rows: int) -> dict[str, Tensor]:
        return {"ids": torch.randint(config.vocab_size, (rows, tokens))}

    outputs = ["context", "pooled"] if suffix else ["context"]
    return Traceable(
        name=f"text_encoder{suffix}",
        module=ContextEncoder(encoder, penultimate=sdxl, pooled=bool(suffix)),
        inputs=ids(2),
        dynamic={"ids": {0: "rows"}, **{name: {0: "rows"} for name in outputs}},
        outputs=outputs,
        checks=[ids(1), ids(3)],
    )


def decoder_item(vae: nn.Module, foundation: Foundation) -> Traceable:
    """Latents to pixels."""
    channels = foundation.latent_channels
    return Traceable(
        name="vae_decoder",
        module=VaeDecoder(vae),
        inputs={"latents": torch.randn(2, channels, 8, 8)},
        dynamic={
            "latents": {0: "rows", 2: "cells_high", 3: "cells_wide"},
            "pixels": {0: "rows", 1: "height", 2: "width"},
        },
        outputs=["pixels"],
        checks=[{"latents": torch.randn(1, channels, 8, 16)}, {"latents": torch.randn(3, channels, 16, 8)}],
    )


def encoder_item(vae: nn.Module, foundation: Foundation) -> Traceable:
    """Pixels to latents."""
    factor = foundation.vae_scale_factor

    def pixels(rows: int, high: int, wide: int) -> dict[str, Tensor]:
        return {"pixels": torch.randint(256, (rows, high * factor, wide * factor, 3), dtype=torch.uint8)}

    return Traceable(
        name="vae_encoder",
        module=VaeEncoder(vae),
        inputs=pixels(2, 8, 8),
        dynamic={
            "pixels": {0: "rows", 1: "height", 2: "width"},
            "latents": {0: "rows", 2: "cells_high", 3: "cells_wide"},
        },
        outputs=["latents"],
        checks=[pixels(1, 8, 16), pixels(3, 16, 8)],
    )


def unet_item(banked: BankedUNet, foundation: Foundation, options: ExportOptions, tokens: int) -> Traceable:
    """The banked UNet; checked on rows, sizes, slots and banks that it was not traced with."""
    config: Mapping[str, Any] = dict(banked.unet.config)
    cells = max(2 ** (len(config["block_out_channels"]) - 1) * 2, 8)
    inputs = partial(unet_inputs, banked, foundation, options, tokens)
    example = inputs(2, cells, cells)
    dynamic: dict[str, dict[int, str]] = {name: {0: "rows"} for name in example if name != "bank"}
    dynamic["sample"] |= {2: "cells_high", 3: "cells_wide"}
    dynamic["prediction"] = dict(dynamic["sample"])
    return Traceable(
        name="unet",
        module=banked,
        inputs=example,
        dynamic=dynamic,
        outputs=["prediction"],
        checks=[inputs(1, cells, cells * 2), inputs(3, cells * 2, cells)],
    )


def unet_inputs(
    banked: BankedUNet, foundation: Foundation, options: ExportOptions, tokens: int, rows: int, high: int, wide: int
) -> dict[str, Tensor]:
    """Random inputs of a call of the banked UNet by name, in the order of its parameters."""
    config: Mapping[str, Any] = dict(banked.unet.config)
    used = min(options.slots, _CHECK_SLOTS)
    bank = torch.zeros(options.slots, banked.layout.row_size)
    bank[1:used] = torch.randn(used - 1, banked.layout.row_size) * 0.05
    made = {
        "sample": torch.randn(rows, config["in_channels"], high, wide),
        "timestep": torch.randint(0, 1000, (rows,)).float(),
        "context": torch.randn(rows, tokens, config["cross_attention_dim"]),
        # Other slots in another order for every count of rows; one row is never the bare foundation.
        "slot": (torch.arange(rows) + rows) % used,
        "strength": torch.linspace(0.5, 1.5, rows),
        "bank": bank,
    }
    if foundation.family == "sdxl":
        made["pooled"] = torch.randn(rows, _pooled_width(config))
        made["time_ids"] = torch.rand(rows, 6) * 100
    if options.precision == "fp16":
        made |= {name: made[name].half() for name in _HALVES if name in made}
    return made


def _pooled_width(config: Mapping[str, Any]) -> int:
    """Width of SDXL's pooled embedding: what the added projection takes beside six sinusoidal time ids."""
    return int(config["projection_class_embeddings_input_dim"] - 6 * config["addition_time_embed_dim"])
