"""Measures single UNet calls at the size of Stable Diffusion 1.5, in fp32 on the CPU, with random weights."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.gpu_shapes import SHAPES, TINY, prepare
from benchmarks.report import Measured
from benchmarks.serving.bench import Bench
from benchmarks.serving.content import check_same_prediction
from benchmarks.serving.shapes import usable
from benchmarks.serving.sides.calls import Timed
from benchmarks.serving.sides.plain import export_plain
from benchmarks.serving.sides.processes import Pool, running
from benchmarks.serving.sides.side import Shape
from benchmarks.serving.timing import milliseconds, ratio
from benchmarks.serving.world import World, make_subjects
from headshots.diffusion.export.options import ExportOptions
from headshots.diffusion.foundations.foundation import Foundation

_PEERS = {"hotswap": "sd15_call_vs_peft", "merged_large": "sd15_call_vs_merged_ort"}
_OPTIONS = ExportOptions(max_rank=16, slots=3, max_rows=4)


async def sd15(bench: Bench) -> Measured:
    """Ours beside one peer at a time, as all three do not fit 16 GB; the worst ratio over the numbers of rows."""
    world = _world(bench.folder / "large", bench.scale.large)
    await _in_child(export_plain, world.foundation, world.package, world.plain_folder, world.subjects[0].data)
    figures, calls, differences, spread = {}, {}, {}, {}
    for side, figure in _PEERS.items():
        found = {}
        async with (
            running("ours_cold", world, Shape(1, usable()), bench.folder) as ours,
            running(side, world, Shape(1, usable()), bench.folder) as theirs,
        ):
            # The adapter is loaded, and its call compared with ours.
            first, second = [await _load(pool, world) for pool in (ours, theirs)]
            difference = check_same_prediction(side, first.prediction_BCHW, second.prediction_BCHW)
            differences[figure] = float(f"{difference:.1e}")
            for rows in bench.scale.large_rows:
                taken: dict[str, list[float]] = {"ours": [], "theirs": []}
                for turn in range(bench.scale.large_calls + 1):
                    for name, pool in zip(taken, (ours, theirs), strict=True):
                        timed: Timed = await pool.call("call", rows)
                        if turn:
                            taken[name].append(timed.seconds)
                found[rows] = ratio(taken["theirs"], taken["ours"])
                calls[f"{figure}, {rows} rows"] = {name: milliseconds(each) for name, each in taken.items()}
        worst = min(found.values(), key=lambda each: each.middle)
        figures[figure], spread[figure] = worst.middle, worst.spread
    details = {"sd15_call_ms": calls, "sd15_relative_difference": differences, "spread": spread}
    return Measured(figures, details)


def _world(folder: Path, shape: str) -> World:
    """A foundation of that shape, its package, and a subject."""
    path, package = prepare({**SHAPES, TINY.name: TINY}[shape], folder, _OPTIONS)
    subjects = make_subjects(1, package, folder / "adapters")
    return World(Foundation.read(path), package, subjects, 1, 1.0, folder / "plain")


async def _in_child(call: Callable[..., object], *given: object) -> None:
    """In a process of its own, whose memory is free afterwards."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        await asyncio.get_running_loop().run_in_executor(pool, call, *given)


async def _load(pool: Pool, world: World) -> Timed:
    found: Timed = await pool.call("cold", world.subjects[0])
    return found
