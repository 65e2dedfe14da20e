"""Measures one UNet call: the banked graph with a subject a row, against diffusers with PEFT, a subject a batch.

``python -m benchmarks.unet_call`` (``make bench``) prints a table and writes ``out/bench/unet-call.json``. Same
weights, inputs and number of threads, in one run; the predictions are compared before anything is timed.

B rows, C latent channels, H, W latent cells, T tokens, D context width.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from rich.console import Console
from rich.table import Table

from headshots.diffusion.backends import OnnxRuntimeBackend, OnnxRuntimeOptions, UNetBatch
from headshots.diffusion.export.ensure import ensure_package
from headshots.diffusion.foundations.foundation import foundation_digest
from headshots.diffusion.lora.files import load_row
from headshots.diffusion.package import EnginePackage
from headshots.settings import default_foundation

OUT = Path("out/bench")
SUBJECTS = 4
ROWS = (1, 2, 4, 8, 16)
ADAPTED = ["to_q", "to_k", "to_v", "to_out.0"]
# Relative difference of two predictions, at most: fp32 arithmetic in another order.
TOLERANCE = 1e-4


def adapted_unet(foundation: Path, rank: int, seed: int) -> UNet2DConditionModel:
    """The foundation's UNet with a random adapter, by PEFT."""
    unet = UNet2DConditionModel.from_pretrained(foundation / "unet", torch_dtype=torch.float32).eval()
    torch.manual_seed(seed)
    unet.add_adapter(LoraConfig(r=rank, lora_alpha=rank, init_lora_weights=False, target_modules=ADAPTED))
    return unet


def adapter_row(unet: UNet2DConditionModel, package: EnginePackage, digest: str) -> Any:
    """The adapter as a row of the bank, by way of the file that diffusers writes."""
    with tempfile.TemporaryDirectory() as folder:
        StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=get_peft_model_state_dict(unet))
        data = (Path(folder) / "pytorch_lora_weights.safetensors").read_bytes()
    return load_row(data, package.layout, digest)


def batch_of(rows: int, package: EnginePackage) -> UNetBatch:
    """Random inputs at mixed timesteps, the subjects in turn."""
    random = np.random.default_rng(rows)
    high = package.native_height_px // package.vae_scale_factor
    wide = package.native_width_px // package.vae_scale_factor
    tokens = package.text_encoders[0].max_tokens
    return UNetBatch(
        sample_BCHW=random.standard_normal((rows, package.latent_channels, high, wide), dtype=np.float32),
        timestep_B=random.integers(0, 1000, rows).astype(np.float32),
        context_BTD=random.standard_normal((rows, tokens, package.context_width), dtype=np.float32),
        slot_B=np.arange(rows, dtype=np.int64) % SUBJECTS + 1,
        strength_B=np.ones(rows, np.float32),
    )


def by_torch(unet: UNet2DConditionModel, batch: UNetBatch) -> Any:
    """The whole batch through one subject's UNet."""
    with torch.inference_mode():
        return unet(
            torch.from_numpy(batch.sample_BCHW),
            torch.from_numpy(batch.timestep_B),
            torch.from_numpy(batch.context_BTD),
        ).sample.numpy()


def worst_difference(backend: OnnxRuntimeBackend, subjects: list[UNet2DConditionModel], batch: UNetBatch) -> float:
    """Largest relative difference between a row of the mixed batch and the same row by PEFT."""
    mixed = backend.unet(batch)
    worst = 0.0
    for slot, unet in enumerate(subjects, 1):
        expected = by_torch(unet, batch)
        for row in np.flatnonzero(batch.slot_B == slot):
            difference = np.linalg.norm(mixed[row] - expected[row]) / np.linalg.norm(expected[row])
            worst = max(worst, float(difference))
    return worst


def milliseconds(call: Callable[[], object], seconds: float) -> float:
    """Median time of a call, repeated for ``seconds`` and at least five times."""
    call()
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while len(taken) < 5 or time.perf_counter() < end:
        begin = time.perf_counter()
        call()
        taken.append((time.perf_counter() - begin) * 1000)
    return statistics.median(taken)


def measure(foundation: Path, threads: int, seconds: float) -> dict[str, Any]:
    """All numbers, as they go into the JSON file."""
    torch.set_num_threads(threads)
    package = EnginePackage.read(ensure_package(foundation, OUT / "engines"))
    backend = OnnxRuntimeBackend(package, OnnxRuntimeOptions(threads=threads))
    digest = foundation_digest(foundation)
    subjects = [adapted_unet(foundation, package.layout.max_rank, seed) for seed in range(SUBJECTS)]
    for slot, unet in enumerate(subjects, 1):
        backend.write_slot(slot, adapter_row(unet, package, digest))
    difference = worst_difference(backend, subjects, batch_of(8, package))
    if difference > TOLERANCE:
        sys.exit(f"the banked graph differs from PEFT by {difference:.1e}: nothing is timed")
    bare = UNet2DConditionModel.from_pretrained(foundation / "unet", torch_dtype=torch.float32).eval()
    timings: dict[str, dict[str, float]] = {}
    for rows in (rows for rows in ROWS if rows <= package.max_rows):
        batch = batch_of(rows, package)
        timings[str(rows)] = {
            "diffusers_ms": milliseconds(partial(by_torch, bare, batch), seconds),
            "peft_one_subject_ms": milliseconds(partial(by_torch, subjects[0], batch), seconds),
            "banked_mixed_subjects_ms": milliseconds(partial(backend.unet, batch), seconds),
        }
    return {
        "foundation": package.foundation,
        "rank": package.layout.max_rank,
        "subjects": SUBJECTS,
        "worst_relative_difference": difference,
        "threads": threads,
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
        "versions": {name: version(name) for name in ("torch", "diffusers", "peft", "onnxruntime")},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "rows": timings,
    }


def show(result: dict[str, Any]) -> None:
    """The table: ratios first, milliseconds beside them."""
    table = Table(title=f"one UNet call, {result['foundation']}, rank {result['rank']}, {result['threads']} threads")
    for column in ("rows", "PEFT / banked", "banked ms", "PEFT ms, one subject", "diffusers ms, no LoRA"):
        table.add_column(column, justify="right")
    for rows, ms in result["rows"].items():
        banked, peft = ms["banked_mixed_subjects_ms"], ms["peft_one_subject_ms"]
        table.add_row(rows, f"{peft / banked:.2f}", f"{banked:.1f}", f"{peft:.1f}", f"{ms['diffusers_ms']:.1f}")
    Console().print(table)


def main() -> None:
    """Measure, write, show."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--foundation", type=Path, default=default_foundation())
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each number")
    given = parser.parse_args()
    result = measure(given.foundation, given.threads, given.seconds)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "unet-call.json").write_text(json.dumps(result, indent=2) + "\n")
    show(result)


if __name__ == "__main__":
    main()
