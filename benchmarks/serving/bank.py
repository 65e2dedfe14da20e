"""Measures what the bank costs: a UNet call with it against the same export without it.

B rows, C latent channels, H, W latent cells, T tokens, D context width.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from benchmarks.serving.world import World
from headshots.diffusion.backends import OnnxRuntimeOptions
from headshots.diffusion.backends.cores import Cores, Graph
from headshots.diffusion.backends.providers import session_options_for
from headshots.diffusion.banked.unet import without_bank
from headshots.diffusion.export.graphs import Traceable, trace
from headshots.diffusion.lora.files import load_row

Arrays = dict[str, np.ndarray[Any, Any]]


class _Unbanked(nn.Module):
    """The UNet as the export changes it, without adapters."""

    def __init__(self, unet: nn.Module) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, sample_BCHW: Tensor, timestep_B: Tensor, context_BTD: Tensor) -> Tensor:
        prediction: Tensor = self.unet(sample_BCHW, timestep_B, context_BTD, return_dict=False)[0]
        return prediction


def export_unbanked(world: World, folder: Path) -> Path:
    """The foundation's UNet by the same exporter, checked as every export is, only without a bank."""
    unet = UNet2DConditionModel.from_pretrained(world.foundation.path / "unet", torch_dtype=torch.float32).eval()
    inputs = {name: torch.from_numpy(array) for name, array in unet_inputs(world, 2).items()}
    others = {name: torch.from_numpy(array) for name, array in unet_inputs(world, 3).items()}
    dynamic = {name: {0: "rows"} for name in (*inputs, "prediction")}
    module = _Unbanked(without_bank(unet)).requires_grad_(False)
    folder.mkdir(parents=True, exist_ok=True)
    return trace(Traceable("unet_without_bank", module, inputs, dynamic, ["prediction"], [others]), folder)


def unet_inputs(world: World, rows: int) -> Arrays:
    """Random inputs of a call at the native size."""
    random, package = np.random.default_rng(rows), world.package
    high, wide = (side // package.vae_scale_factor for side in (package.native_height_px, package.native_width_px))
    tokens = package.text_encoders[0].max_tokens
    return {
        "sample": random.standard_normal((rows, package.latent_channels, high, wide), dtype=np.float32),
        "timestep": random.integers(0, 1000, rows).astype(np.float32),
        "context": random.standard_normal((rows, tokens, package.context_width), dtype=np.float32),
    }


def bank_cost(world: World, folder: Path, rows: tuple[int, ...], calls: int, threads: int) -> dict[str, Any]:
    """Milliseconds of a call with and without the bank at each number of rows, and the worst ratio of medians."""
    cores = Cores(threads)
    with_bank = _open(cores, world.package.folder / world.package.unet)
    without = _open(cores, export_unbanked(world, folder))
    bank = {"bank": ort.OrtValue.ortvalue_from_numpy(_bank(world))}
    found: dict[str, dict[str, float]] = {}
    for count in (count for count in rows if count <= world.package.max_rows):
        plain = unet_inputs(world, count)
        slots = np.arange(count, dtype=np.int64) % world.package.slots
        banked = {**plain, "slot": slots, "strength": np.ones(count, np.float32)}
        taken: dict[str, list[float]] = {"banked_ms": [], "without_bank_ms": []}
        sides = {
            "banked_ms": partial(with_bank.run, banked, bank),
            "without_bank_ms": partial(without.run, plain),
        }
        for turn in range(calls + 1):
            for name, call in sides.items():
                seconds = _seconds(call)
                if turn:  # the first call of each also plans its memory
                    taken[name].append(seconds * 1000)
        medians = {name: statistics.median(each) for name, each in taken.items()}
        found[str(count)] = {**medians, "ratio": medians["banked_ms"] / medians["without_bank_ms"]}
    return {"rows": found, "worst": max(each["ratio"] for each in found.values())}


def _bank(world: World) -> np.ndarray[Any, Any]:
    """A bank with an adapter in every slot but the first."""
    package = world.package
    bank = np.zeros((package.slots, package.layout.row_size), np.float32)
    rows = [load_row(subject.data, package.layout, package.foundation_digest) for subject in world.subjects]
    for slot in range(1, package.slots):
        bank[slot] = rows[slot % len(rows)]
    return bank


def _open(cores: Cores, path: Path) -> Graph:
    """As the backend opens it: rows spread over the cores."""

    def opened(options: OnnxRuntimeOptions) -> ort.InferenceSession:
        return ort.InferenceSession(str(path), session_options_for(options))

    return cores.open(opened, OnnxRuntimeOptions(), least_rows=2)


def _seconds(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin
