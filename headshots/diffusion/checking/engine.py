"""Paints with an engine package, remembering every stage.

Shapes: C latent channels, H, W latent cells, B rows: the negative prompt's and the prompt's.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort

from headshots.diffusion.backends import Backend, OnnxRuntimeOptions, UNetBatch, open_package
from headshots.diffusion.backends.providers import PROVIDERS, provider_list, session_options_for
from headshots.diffusion.checking.painting import (
    ADAPTERS,
    RANK,
    SEED,
    FloatArray,
    SideFacts,
    Stages,
    Task,
    guidance_of,
    prompt_of,
)
from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.lora.files import LoraPair, diffusers_lora_bytes, load_row
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.sampling.schedule import initial_noise, make_schedule, step_noise
from headshots.diffusion.sampling.tables import denoise
from headshots.diffusion.tensorrt.rtx.building import peak_bytes
from headshots.diffusion.text import Context

_SLOT = 1
_RECORD = "session.record_ep_graph_assignment_info"


def run(task: Task) -> SideFacts:
    """Write the random adapter and the stages of both paintings into the task's folder.

    Raises:
        HeadshotsError: what the package and the backend raise.
    """
    package, foundation = EnginePackage.read(Path(task.package)), Foundation.read(Path(task.foundation))
    options = OnnxRuntimeOptions(provider=task.provider, device=task.device)
    nodes = _nodes(package, options)
    backend = open_package(package, options)
    data = random_lora(package)
    task.lora.write_bytes(data)
    backend.write_slot(_SLOT, load_row(data, package.layout, package.foundation_digest))
    painter = _Painter(package, backend, foundation)
    painter.paint("adapter", 1)
    seconds = []
    for adapter in ADAPTERS:
        begin = time.perf_counter()
        stages = painter.paint(adapter, task.steps)
        seconds.append(time.perf_counter() - begin)
        stages.save(task.stages("engine", adapter))
    return SideFacts(backend.name, seconds, peak_bytes(os.getpid()), backend.device_memory_bytes(), nodes)


def random_lora(package: EnginePackage) -> bytes:
    """A file of a random adapter that changes every layer by about a tenth of what it gives."""
    random = np.random.default_rng(SEED)
    pairs = {}
    for site in package.layout.sites:
        a_RI = random.standard_normal((RANK, site.in_features), dtype=np.float32) / np.sqrt(
            np.float32(site.in_features)
        )
        b_OR = random.standard_normal((site.out_features, RANK), dtype=np.float32) * np.float32(0.1 / RANK**0.5)
        pairs[site.name] = LoraPair(a_RI, b_OR, convolution=site.convolution)
    return diffusers_lora_bytes(pairs, {"foundation_digest": package.foundation_digest})


class _Painter:
    def __init__(self, package: EnginePackage, backend: Backend, foundation: Foundation) -> None:
        self._package, self._backend, self._foundation = package, backend, foundation

    def paint(self, adapter: str, steps: int) -> Stages:
        """One image with classifier-free guidance (arXiv 2207.12598)."""
        package, backend = self._package, self._backend
        rows = [backend.encode_text(""), backend.encode_text(prompt_of(self._foundation))]
        guidance = np.float32(guidance_of(self._foundation, adapter))
        factor = package.vae_scale_factor
        shape = (package.latent_channels, package.native_height_px // factor, package.native_width_px // factor)
        table = make_schedule(package.scheduler, package.sampler, steps, eta=package.eta)
        is_guided = table.guided(package.guidance_interval)
        predictions: list[FloatArray] = []

        def predict(step: int, scaled_CHW: FloatArray) -> FloatArray:
            # Both rows at every step, so that the first is told of both.
            predictions.append(backend.unet(self._batch(scaled_CHW, table.timestep[step], rows, adapter)))
            empty_CHW, asked_CHW = predictions[-1]
            guided_CHW: FloatArray = empty_CHW + guidance * (asked_CHW - empty_CHW) if is_guided[step] else asked_CHW
            return guided_CHW

        start_CHW = initial_noise(SEED, shape) * np.float32(table.initial_scale)
        x_CHW = denoise(table, start_CHW, predict, lambda step: step_noise(SEED, step, shape))
        return Stages(rows[1].context_TD, predictions[0], x_CHW, backend.decode(x_CHW[None])[0])

    def _batch(self, x_CHW: FloatArray, timestep: np.float32, rows: list[Context], adapter: str) -> UNetBatch:
        pooled = [row.pooled_E for row in rows if row.pooled_E is not None]
        size = (self._package.native_height_px, self._package.native_width_px)
        return UNetBatch(
            sample_BCHW=np.stack([x_CHW] * len(rows)),
            timestep_B=np.full(len(rows), timestep, np.float32),
            context_BTD=np.stack([row.context_TD for row in rows]),
            slot_B=np.full(len(rows), _SLOT if adapter == "adapter" else 0, np.int64),
            strength_B=np.ones(len(rows), np.float32),
            pooled_BE=np.stack(pooled) if pooled else None,
            time_ids_B6=np.asarray([(*size, 0, 0, *size)] * len(rows), np.float32) if pooled else None,
        )


def _nodes(package: EnginePackage, options: OnnxRuntimeOptions) -> dict[str, int]:
    """Nodes of the UNet's graph by the provider that took them. A provider leaves to the CPU what it does not know.

    Told of ONNX Runtime's CPU and CUDA providers; those of TensorRT build an engine for as long as minutes.
    """
    if options.provider not in ("cpu", "cuda"):
        return {}
    recording = session_options_for(options)
    recording.add_session_config_entry(_RECORD, "1")
    session = ort.InferenceSession(
        str(package.folder / package.unet), recording, providers=provider_list(options), enable_fallback=0
    )
    assert PROVIDERS[options.provider] in session.get_providers(), "the backend tells what cannot be had"
    counts: dict[str, int] = {}
    for part in session.get_provider_graph_assignment_info():
        counts[part.ep_name] = counts.get(part.ep_name, 0) + len(part.get_nodes())
    return counts
