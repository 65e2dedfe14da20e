"""Measures UNet calls on an NVIDIA GPU: ours with a subject a row, against diffusers eager and compiled.

``python -m benchmarks.gpu`` prints a table and writes ``benchmarks/results/<hardware>-<date>.json``: SD 1.5 at 512² and
SDXL at 1024², random weights, 1 to 16 rows; the torch backend in each of its modes, every provider that loads, what the
bank and writing a slot cost, and the share of the chip's measured matmul rate. The predictions are compared before
anything is timed, and what cannot run is written down with its reason instead of a number. ``--prepare`` exports what
it needs on any CPU, with engines for ``--tensorrt-rtx``; after that ``--quick`` with one shape (nothing compiled, half
a second a number) is meant to take less than five minutes of a GPU. Without a GPU it refuses;
``--dry-run`` goes through the same code on the CPU with a tiny shape, and its numbers mean nothing.
"""

from __future__ import annotations

import argparse
import gc
import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console

from benchmarks.gpu_calls import (
    SUBJECTS,
    Stock,
    bankless,
    batch_of,
    matmul_flops,
    milliseconds,
    relative_difference,
)
from benchmarks.gpu_report import figures, show
from benchmarks.gpu_shapes import SHAPES, TINY, Shape, prepare
from headshots.diffusion.backends import Backend, OnnxRuntimeOptions, open_package
from headshots.diffusion.backends.torch import PRECISIONS, TorchBackend, TorchOptions
from headshots.diffusion.export.options import ExportOptions
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.tensorrt.rtx.targets import parse_targets
from headshots.errors import HeadshotsError

RESULTS = Path(__file__).parent / "results"
WORK = Path("out/bench/gpu")
RANK = 16
ROWS = (1, 2, 4, 8, 16)
_BUILD_MEMORY_GB = 32.0
# Relative difference from PEFT, at most: fp32 in another order, and half precision with fp32 normalisations or without.
TOLERANCE = {"fp32": 1e-3, "fp16": 3e-2, "bf16": 1e-1}


@dataclass(frozen=True)
class Run:
    """What is measured where."""

    device: torch.device
    hardware: str
    precision: str
    rows: tuple[int, ...]
    modes: tuple[str, ...]
    providers: tuple[str, ...]
    peer_modes: tuple[str, ...]
    matmul_size: int
    seconds: float
    targets: tuple[str, ...] = ()

    @property
    def dtype(self) -> torch.dtype:
        """Of the UNets."""
        return PRECISIONS[self.precision]


def gpu_run(seconds: float) -> Run:
    """Everything, on the first GPU; ends the program where there is none."""
    if not torch.cuda.is_available():
        sys.exit(
            "no GPU: torch sees no CUDA device, and nothing is measured; --dry-run goes through the code on the CPU"
        )
    return Run(
        device=torch.device("cuda", 0),
        hardware=torch.cuda.get_device_name(0),
        precision="fp16",
        rows=ROWS,
        modes=("eager", "compile", "graphs"),
        providers=("tensorrt-rtx", "tensorrt", "cuda"),
        peer_modes=("", "default"),
        matmul_size=8192,
        seconds=seconds,
    )


def quick(run: Run) -> Run:
    """Nothing that is compiled at the first call, for minutes: neither torch's modes nor the classic TensorRT."""
    return replace(run, modes=("eager",), providers=("tensorrt-rtx", "cuda"), peer_modes=("",), seconds=0.5)


def dry_run() -> Run:
    """The same code, two rows at most, nothing compiled."""
    providers = ("cpu", "cuda", "tensorrt-rtx")
    return Run(torch.device("cpu"), "cpu", "fp32", (1, 2), ("eager",), providers, ("",), 64, 0.0)


def measure(run: Run, shape: Shape, work: Path) -> dict[str, Any]:
    """All numbers of one shape."""
    foundation, package = prepare(shape, work, _options(run.precision, run.rows, run.targets))
    rows, truth, flops = _adapters(run, foundation, package, shape)
    found: dict[str, Any] = {"cells": shape.cells, "rank": RANK, "gflop_a_row": flops / 1e9, "ours": {}, "not_run": {}}
    contenders = {f"torch:{mode}": partial(_torch, run, package, foundation, mode) for mode in run.modes}
    contenders |= {_label(name): partial(open_package, package, OnnxRuntimeOptions(name)) for name in run.providers}
    for name, make in contenders.items():
        with _forgotten(), _excused(found["not_run"], name):
            found["ours"][name] = _ours(run, make(), rows, truth, package, shape)
    found["peers"] = _peers(run, foundation, package, shape, found["not_run"])
    with _forgotten(), _excused(found["not_run"], "without the bank"):
        found["without_bank_ms"] = _times(run, bankless(foundation, run.device, run.dtype), package, shape)
    rate = matmul_flops(run.device, run.dtype, run.matmul_size, run.seconds)
    found["matmul_tflops"] = rate / 1e12
    found["figures"] = figures(found, flops, rate)
    return found


def _options(precision: str, rows: Sequence[int], targets: tuple[str, ...]) -> ExportOptions:
    halves = "fp32" if precision == "fp32" else "fp16"
    return ExportOptions(RANK, SUBJECTS + 1, max(2, *rows), halves, (), targets, _BUILD_MEMORY_GB)


def _label(provider: str) -> str:
    return provider if provider == "tensorrt-rtx" else f"onnxruntime:{provider}"


def _adapters(run: Run, foundation: Path, package: EnginePackage, shape: Shape) -> tuple[list[Any], Any, int]:
    """Rows of random adapters, what PEFT predicts with the first of them, and the operations of one row."""
    with _forgotten():
        adapted = Stock(foundation, run.device, run.dtype, rank=RANK)
        first = adapted.row(package)
        truth = adapted(batch_of(2, package, shape.cells))
        del adapted
        # The others only have to differ.
        rows = [first * np.float32(1 + 0.1 * number) for number in range(SUBJECTS)]
        bare = Stock(foundation, run.device, run.dtype)
        return rows, truth, bare.flops(batch_of(1, package, shape.cells))


def _ours(
    run: Run, backend: Backend, rows: list[Any], truth: Any, package: EnginePackage, shape: Shape
) -> dict[str, Any]:
    """One backend: the first subject's row of a mixed batch against PEFT's, and only then its times."""
    for slot, row in enumerate(rows, 1):
        backend.write_slot(slot, row)
    difference = relative_difference(backend.unet(batch_of(2, package, shape.cells))[0], truth[0])
    if not difference <= TOLERANCE[run.precision]:
        raise RuntimeError(f"differs from PEFT by {difference:.1e}: not timed")
    swap_ms = milliseconds(partial(backend.write_slot, 1, rows[0]), run.seconds)
    return {"difference_from_peft": difference, "swap_ms": swap_ms, "ms": _times(run, backend.unet, package, shape)}


def _times(run: Run, call: Any, package: EnginePackage, shape: Shape) -> dict[str, float]:
    """Milliseconds by number of rows."""
    batches = {rows: batch_of(rows, package, shape.cells) for rows in run.rows}
    return {str(rows): milliseconds(partial(call, batch), run.seconds) for rows, batch in batches.items()}


def _torch(run: Run, package: EnginePackage, foundation: Path, mode: str) -> Backend:
    return TorchBackend(package, foundation, TorchOptions(run.device.type, 0, 0, run.precision, mode))


def _peers(
    run: Run, foundation: Path, package: EnginePackage, shape: Shape, not_run: dict[str, str]
) -> dict[str, dict[str, float]]:
    """diffusers: one subject for the whole batch by PEFT, and no adapter at all."""
    found = {}
    for mode in run.peer_modes:
        for name, rank in (("peft_one_subject", RANK), ("bare", 0)):
            label = f"diffusers:{'compiled' if mode else 'eager'}:{name}"
            with _forgotten(), _excused(not_run, label):
                stock = Stock(foundation, run.device, run.dtype, rank=rank, mode=mode)
                found[label] = _times(run, stock, package, shape)
    return found


@contextmanager
def _forgotten() -> Iterator[None]:
    """Memory and compiled code of one contender are gone before the next."""
    yield
    torch.compiler.reset()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


@contextmanager
def _excused(not_run: dict[str, str], name: str) -> Iterator[None]:
    """What cannot run says why, and the others go on."""
    try:
        yield
    except (HeadshotsError, RuntimeError) as error:
        not_run[name] = str(error).splitlines()[0][:300]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write, show."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--dry-run", action="store_true", help="a tiny shape on the CPU, to go through the code")
    parser.add_argument("--prepare", action="store_true", help="export only, which takes no GPU and minutes of a CPU")
    parser.add_argument("--quick", action="store_true", help="nothing that compiles for minutes; meant with one shape")
    parser.add_argument(
        "--tensorrt-rtx", default="", help="GPUs to build engines for, as sm89; the same to prepare and run"
    )
    parser.add_argument("--shapes", nargs="+", choices=list(SHAPES), default=list(SHAPES))
    parser.add_argument("--seconds", type=float, default=2.0, help="for each number")
    parser.add_argument("--work", type=Path, default=WORK, help="foundations and packages are kept there")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result; a dry run writes to --work")
    given = parser.parse_args(arguments)
    shapes = [TINY] if given.dry_run else [SHAPES[name] for name in given.shapes]
    targets = parse_targets(given.tensorrt_rtx)
    if given.prepare:
        for shape in shapes:
            Console().print(f"prepared: {prepare(shape, given.work, _options('fp16', ROWS, targets))[1].folder}")
        return
    run = replace(dry_run() if given.dry_run else gpu_run(given.seconds), targets=targets)
    run = quick(run) if given.quick else run
    now = datetime.now(UTC)
    result = {
        "dry_run": given.dry_run,
        "hardware": run.hardware,
        "date": now.isoformat(timespec="seconds"),
        "precision": run.precision,
        "rows": run.rows,
        "versions": {name: version(name) for name in ("torch", "diffusers", "peft")},
        "shapes": {shape.name: measure(run, shape, given.work) for shape in shapes},
    }
    hardware = re.sub(r"[^a-z0-9]+", "-", run.hardware.lower()).strip("-")
    folder = given.work if given.dry_run else given.out
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{'dry-run' if given.dry_run else hardware}-{now:%Y-%m-%d}.json"
    path.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    show(result)
    Console().print(f"written: {path}")


if __name__ == "__main__":
    main()
