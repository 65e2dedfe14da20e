"""Exports a foundation: loads it with torch, traces its networks, writes the package's files."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import nn
from transformers import AutoTokenizer, CLIPTextModel, CLIPTextModelWithProjection

from headshots.diffusion.banked.unet import BankedUNet, to_half
from headshots.diffusion.export.graphs import OPSET, trace
from headshots.diffusion.export.native import graphs_of, trace_native
from headshots.diffusion.export.options import ExportOptions, Progress, Size, size_multiple_px
from headshots.diffusion.export.traceable import (
    decoder_item,
    encoder_item,
    text_encoder_item,
    unet_inputs,
    unet_item,
)
from headshots.diffusion.foundations.foundation import Foundation, file_digest
from headshots.diffusion.lora.layout import Layout
from headshots.diffusion.networks import VaeDecoder
from headshots.diffusion.package import MAX_VAE_ROWS, EnginePackage, TextEncoder
from headshots.diffusion.package_files import SMALL_BYTES
from headshots.diffusion.tensorrt.rtx.building import Built, build_engines
from headshots.errors import InvalidArgumentError

_AS_THE_FOUNDATION = (
    "family",
    "latent_channels",
    "vae_scale_factor",
    "zero_empty_prompt",
    "prediction_type",
    "scheduler",
    "sampler",
    "eta",
    "steps",
    "guidance_scale",
    "guidance_interval",
    "adapter_guidance_scale",
    "adapter_strength",
    "negative_adapter_share",
    "trigger",
    "prompt_template",
    "negative_prompt",
    "class_nouns",
    "vocabulary",
    "head_height",
    "eye_line",
)
"""What a package repeats of its foundation, under the same names."""
_GRAPHS: Mapping[str, Any] = {name: f"{name}.onnx" for name in ("unet", "vae_decoder", "vae_encoder")}
"""File names of the graphs that every package has."""
_TRACED, _BUILDING = 0.5, 0.6
"""Share of an export that is done when the graphs are written, and when engines begin, where those are built too."""
_PREVIEW_SAMPLES = 4
_MAX_SIZE_FACTOR = 2
_VAE_PIXELS = MAX_VAE_ROWS * 512 * 512
"""Pixels of a call to the VAE, at most: its widest layers take some hundred floats a pixel."""

PreviewMap = tuple[tuple[tuple[float, ...], ...], tuple[float, ...]]


def export_into(
    folder: Path, foundation: Foundation, digest: str, options: ExportOptions, key: str, progress: Progress
) -> EnginePackage:
    """Write every file of the package into ``folder``; ``engine.json`` last.

    One network is in memory at a time, and the largest, the UNet, alone.

    Raises:
        InvalidArgumentError: FOUNDATION_INVALID, when the weights cannot be loaded.
        InternalError: EXPORT_MISMATCH.
        HeadshotsError: with ``options.tensorrt_rtx`` what :func:`build_engines` raises.
    """
    with _one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        progress("tracing the text encoder", 0.0)
        encoders = _export_text_encoders(folder, foundation)
        progress("tracing the VAE", 0.1)
        preview = _export_vae(folder, foundation)
        progress("tracing the UNet", 0.3)
        layout, width = _export_unet(folder, foundation, options, encoders[0].max_tokens)
        progress("writing", _TRACED if options.tensorrt_rtx else 0.95)
        package = _describe(folder, foundation, digest, options, key, encoders, preview, layout, width)
        if options.tensorrt_rtx:
            package = _with_engines(package, options, progress)
        package.write()
        progress("done", 1.0)
        return package


@contextmanager
def _one_thread() -> Iterator[None]:
    """Tracing is thousands of tiny operations: threads cost more than they give, and on a busy machine ten times so."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _load(cls: Any, path: Path, **more: Any) -> Any:
    """A network in fp32, from safetensors only."""
    # What was traced before is in reference cycles, and a UNet beside it is what the memory is short for.
    gc.collect()
    try:
        module = cls.from_pretrained(path, use_safetensors=True, torch_dtype=torch.float32, **more)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise InvalidArgumentError("FOUNDATION_INVALID", f"{path}: cannot be loaded: {error}") from error
    return module.eval().requires_grad_(False)


def _export_text_encoders(folder: Path, foundation: Foundation) -> tuple[TextEncoder, ...]:
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
        trace(text_encoder_item(encoder, tokens, suffix=suffix, sdxl=sdxl), folder)
        made.append(
            TextEncoder(f"text_encoder{suffix}.onnx", f"tokenizer{suffix}.json", tokens, tokenizer.pad_token_id)
        )
    return tuple(made)


def _export_vae(folder: Path, foundation: Foundation) -> PreviewMap:
    """Trace both halves of the VAE; the preview's map is measured on the way."""
    vae = _load(AutoencoderKL, foundation.path / "vae")
    trace(decoder_item(vae, foundation), folder)
    trace(encoder_item(vae, foundation), folder)
    return _preview_map(VaeDecoder(vae), foundation)


def _export_unet(folder: Path, foundation: Foundation, options: ExportOptions, tokens: int) -> tuple[Layout, int]:
    """Trace the banked UNet; the layout of its adapters, and the width of its context."""
    unet = _load(UNet2DConditionModel, foundation.path / "unet")
    banked = BankedUNet(unet, options.max_rank, foundation.adapted_layers).eval()
    if options.precision == "fp16":
        to_half(unet)
    trace(unet_item(banked, foundation, options, tokens), folder)
    small = sum(weight.nbytes for weight in banked.parameters()) <= SMALL_BYTES
    if options.precision == "fp32" and small and banked.projects_all:
        cells = [side // foundation.vae_scale_factor for side in _default_size(foundation, options.sizes)]
        calls = {rows: unet_inputs(banked, foundation, options, tokens, rows, cells[1], cells[0]) for rows in (2, 1, 3)}
        trace_native(banked, calls, folder)
    return banked.layout, int(unet.config.cross_attention_dim)


def _describe(
    folder: Path,
    foundation: Foundation,
    digest: str,
    options: ExportOptions,
    key: str,
    encoders: tuple[TextEncoder, ...],
    preview: PreviewMap,
    layout: Layout,
    context_width: int,
) -> EnginePackage:
    """What ``engine.json`` says."""
    native = (foundation.native_width_px, foundation.native_height_px)
    sizes, default = options.sizes or (native,), _default_size(foundation, options.sizes)
    return EnginePackage(
        **{name: getattr(foundation, name) for name in _AS_THE_FOUNDATION},
        **_GRAPHS,
        folder=folder,
        foundation=foundation.name,
        foundation_digest=digest,
        precision=options.precision,
        opset=OPSET,
        slots=options.slots,
        max_rows=options.max_rows,
        context_width=context_width,
        native_width_px=default[0],
        native_height_px=default[1],
        size_multiple_px=size_multiple_px(foundation),
        max_size_px=max(max(size) for size in options.sizes) if options.sizes else _MAX_SIZE_FACTOR * max(native),
        text_encoders=encoders,
        preview_matrix=preview[0],
        preview_bias=preview[1],
        layout=layout,
        files={path.name: file_digest(path) for path in sorted(folder.iterdir())},
        sizes=options.sizes,
        vae_rows=_vae_rows(sizes),
        **graphs_of(folder),
        key=key,
    )


def _with_engines(package: EnginePackage, options: ExportOptions, progress: Progress) -> EnginePackage:
    """The package with its engines, built into its folder."""
    # The tracer's leftovers need not lie beside the build.
    gc.collect()
    progress(f"building engines for {', '.join(options.tensorrt_rtx)}", _BUILDING)
    numbers = count(1)

    def told(built: Built) -> None:
        share = _BUILDING + (0.95 - _BUILDING) * next(numbers) / len(package.graphs)
        progress(f"built {built.file}: {built.layers} layers in {built.seconds:.1f} s", share)

    engines = build_engines(package, options.tensorrt_rtx, int(options.build_memory_gb * 1e9), told)
    digests = {engine.file: file_digest(package.folder / engine.file) for engine in engines.engines}
    return replace(package, tensorrt_rtx=engines, files={**package.files, **digests})


def _vae_rows(sizes: Sequence[Size]) -> int:
    """How many images of the largest size a call to the VAE may take."""
    pixels = max(width for width, _ in sizes) * max(height for _, height in sizes)
    return min(MAX_VAE_ROWS, max(1, _VAE_PIXELS // pixels))


def _default_size(foundation: Foundation, sizes: Sequence[Size]) -> Size:
    """The foundation's own where the sizes span it, else the one that is tuned for."""
    native = (foundation.native_width_px, foundation.native_height_px)
    spans = zip(native, zip(*(sizes or (native,)), strict=True), strict=True)
    return native if all(min(axis) <= side <= max(axis) for side, axis in spans) else sizes[0]


def _preview_map(decoder: VaeDecoder, foundation: Foundation) -> PreviewMap:
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
