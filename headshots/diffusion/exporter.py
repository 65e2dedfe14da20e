"""The export itself: load a foundation with torch, trace its networks, write the package's files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor, nn
from transformers import AutoTokenizer, CLIPTextModel, CLIPTextModelWithProjection

from headshots.diffusion.banked import BankedUNet, to_half
from headshots.diffusion.export import ExportOptions, Progress
from headshots.diffusion.foundation import Foundation
from headshots.diffusion.graphs import OPSET, Traced, trace
from headshots.diffusion.networks import ContextEncoder, VaeDecoder, VaeEncoder
from headshots.diffusion.package import EnginePackage, TextEncoder
from headshots.errors import InvalidArgumentError

_CHECK_SLOTS = 4
_PREVIEW_SAMPLES = 4
_MAX_SIZE_FACTOR = 2


def export_into(
    folder: Path, foundation: Foundation, digest: str, options: ExportOptions, progress: Progress
) -> EnginePackage:
    """Write every file of the package into ``folder``; ``engine.json`` last.

    Raises:
        InvalidArgumentError: FOUNDATION_INVALID, when the weights cannot be loaded.
        InternalError: EXPORT_MISMATCH.
    """
    with _one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return _export(folder, foundation, digest, options, progress)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Tracing is thousands of tiny operations: threads cost more than they give, and on a busy machine ten times so."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _export(
    folder: Path, foundation: Foundation, digest: str, options: ExportOptions, progress: Progress
) -> EnginePackage:
    progress("loading the text encoder", 0.0)
    encoders = _text_encoders(folder, foundation)
    progress("tracing the VAE", 0.1)
    vae = _load(AutoencoderKL, foundation.path / "vae")
    trace(_decoder_item(vae, foundation), folder)
    trace(_encoder_item(vae, foundation), folder)
    matrix, bias = _preview_map(VaeDecoder(vae), foundation)
    progress("tracing the UNet", 0.3)
    unet = _load(UNet2DConditionModel, foundation.path / "unet")
    config = dict(unet.config)
    banked = BankedUNet(unet, options.max_rank).eval()
    if options.precision == "fp16":
        to_half(unet)
    item = _unet_item(banked, foundation, options, encoders[0].max_tokens, config)
    trace(item, folder)
    progress("writing", 0.95)
    multiple = foundation.vae_scale_factor * 2 ** (len(config["block_out_channels"]) - 1)
    package = EnginePackage(
        folder=folder,
        foundation=foundation.name,
        foundation_digest=digest,
        family=foundation.family,
        precision=options.precision,
        opset=OPSET,
        slots=options.slots,
        max_rows=options.max_rows,
        latent_channels=foundation.latent_channels,
        vae_scale_factor=foundation.vae_scale_factor,
        context_width=config["cross_attention_dim"],
        native_width_px=foundation.native_width_px,
        native_height_px=foundation.native_height_px,
        size_multiple_px=multiple,
        max_size_px=_MAX_SIZE_FACTOR * max(foundation.native_width_px, foundation.native_height_px),
        zero_empty_prompt=foundation.zero_empty_prompt,
        prediction_type=foundation.prediction_type,
        scheduler=foundation.scheduler,
        sampler=foundation.sampler,
        steps=foundation.steps,
        guidance_scale=foundation.guidance_scale,
        trigger=foundation.trigger,
        prompt_template=foundation.prompt_template,
        class_nouns=foundation.class_nouns,
        unet="unet.onnx",
        vae_decoder="vae_decoder.onnx",
        vae_encoder="vae_encoder.onnx",
        text_encoders=encoders,
        preview_matrix=matrix,
        preview_bias=bias,
        layout=banked.layout,
        files={path.name: _digest(path) for path in sorted(folder.iterdir())},
    )
    package.write()
    progress("done", 1.0)
    return package


def _load(cls: Any, path: Path, **more: Any) -> Any:
    """A network in fp32, from safetensors only."""
    try:
        module = cls.from_pretrained(path, use_safetensors=True, torch_dtype=torch.float32, **more)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise InvalidArgumentError("FOUNDATION_INVALID", f"{path}: cannot be loaded: {error}") from error
    return module.eval().requires_grad_(False)


def _text_encoders(folder: Path, foundation: Foundation) -> tuple[TextEncoder, ...]:
    """Trace the text encoders and write their tokenizers."""
    sdxl = foundation.family == "sdxl"
    made = []
    for suffix in ("", "_2") if sdxl else ("",):
        cls = CLIPTextModelWithProjection if suffix else CLIPTextModel
        encoder = _load(cls, foundation.path / f"text_encoder{suffix}")
        tokenizer = AutoTokenizer.from_pretrained(foundation.path / f"tokenizer{suffix}")
        backend = tokenizer.backend_tokenizer
        backend.no_truncation()
        backend.no_padding()
        (folder / f"tokenizer{suffix}.json").write_text(backend.to_str(), "utf-8")
        tokens = min(tokenizer.model_max_length, encoder.config.max_position_embeddings)
        wrapped = ContextEncoder(encoder, penultimate=sdxl, pooled=bool(suffix))
        vocabulary = encoder.config.vocab_size
        trace(
            Traced(
                name=f"text_encoder{suffix}",
                module=wrapped,
                inputs={"ids": torch.randint(vocabulary, (2, tokens))},
                dynamic={"ids": {0: "rows"}},
                outputs=["context", "pooled"] if suffix else ["context"],
                checks=[{"ids": torch.randint(vocabulary, (rows, tokens))} for rows in (1, 3)],
            ),
            folder,
        )
        made.append(
            TextEncoder(f"text_encoder{suffix}.onnx", f"tokenizer{suffix}.json", tokens, tokenizer.pad_token_id)
        )
    return tuple(made)


def _decoder_item(vae: nn.Module, foundation: Foundation) -> Traced:
    channels = foundation.latent_channels
    return Traced(
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


def _encoder_item(vae: nn.Module, foundation: Foundation) -> Traced:
    factor = foundation.vae_scale_factor

    def pixels(rows: int, high: int, wide: int) -> dict[str, Tensor]:
        return {"pixels": torch.randint(256, (rows, high * factor, wide * factor, 3), dtype=torch.uint8)}

    return Traced(
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


def _unet_item(
    banked: BankedUNet, foundation: Foundation, options: ExportOptions, tokens: int, config: Mapping[str, Any]
) -> Traced:
    cells = max(2 ** (len(config["block_out_channels"]) - 1) * 2, 8)

    def inputs(rows: int, high: int, wide: int) -> dict[str, Tensor]:
        bank = torch.zeros(options.slots, banked.layout.row_size)
        used = min(options.slots, _CHECK_SLOTS)
        bank[1:used] = torch.randn(used - 1, banked.layout.row_size) * 0.05
        made = {
            "sample": torch.randn(rows, config["in_channels"], high, wide),
            "timestep": torch.randint(0, 1000, (rows,)).float(),
            "context": torch.randn(rows, tokens, config["cross_attention_dim"]),
            "slot": torch.arange(rows) % used,
            "strength": torch.linspace(0.5, 1.5, rows),
            "bank": bank,
        }
        if foundation.family == "sdxl":
            made["pooled"] = torch.randn(rows, _pooled_width(config))
            made["time_ids"] = torch.rand(rows, 6) * 100
        if options.precision == "fp16":
            half = ("sample", "context", "strength", "bank", "pooled")
            made |= {name: made[name].half() for name in half if name in made}
        return made

    example = inputs(2, cells, cells)
    dynamic: dict[str, dict[int, str]] = {name: {0: "rows"} for name in example if name != "bank"}
    dynamic["sample"] |= {2: "cells_high", 3: "cells_wide"}
    dynamic["prediction"] = dict(dynamic["sample"])
    return Traced(
        name="unet",
        module=banked,
        inputs=example,
        dynamic=dynamic,
        outputs=["prediction"],
        checks=[inputs(1, cells, cells * 2), inputs(3, cells * 2, cells)],
    )


def _pooled_width(config: Mapping[str, Any]) -> int:
    """Width of SDXL's pooled embedding: what the added projection takes beside six sinusoidal time ids."""
    return int(config["projection_class_embeddings_input_dim"] - 6 * config["addition_time_embed_dim"])


def _preview_map(
    decoder: VaeDecoder, foundation: Foundation
) -> tuple[tuple[tuple[float, ...], ...], tuple[float, ...]]:
    """The linear map from a latent cell to the mean colour of its pixels, by least squares over noise."""
    factor, channels = foundation.vae_scale_factor, foundation.latent_channels
    latents = torch.randn(_PREVIEW_SAMPLES, channels, 16, 16)
    with torch.no_grad():
        pixels = decoder(latents).permute(0, 3, 1, 2).float() / 255
    means = nn.functional.avg_pool2d(pixels, factor).permute(0, 2, 3, 1).reshape(-1, 3).double().numpy()
    cells = latents.permute(0, 2, 3, 1).reshape(-1, channels).double().numpy()
    solution = np.linalg.lstsq(np.hstack([cells, np.ones((len(cells), 1))]), means, rcond=None)[0]
    rounded = [tuple(round(float(x), 6) for x in row) for row in solution]
    return tuple(rounded[:-1]), rounded[-1]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
