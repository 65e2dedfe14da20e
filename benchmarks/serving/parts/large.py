"""Measures single UNet calls at the size of Stable Diffusion 1.5, in fp32 on the CPU, with random weights."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.gpu_shapes import SHAPES, TINY, prepare
from benchmarks.report import Measured
from benchmarks.serving.bench import Bench
from benchmarks.serving.content import check_same_prediction
from benchmarks.serving.shapes import usable
from benchmarks.serving.sides.calls import Timed
from benchmarks.serving.sides.plain import export_plain
from benchmarks.serving.sides.processes import running
from benchmarks.serving.sides.side import Shape
from benchmarks.serving.timing import milliseconds, ratio
from benchmarks.serving.world import World, make_subjects
from headshots.diffusion.export.options import ExportOptions
from headshots.diffusion.foundations.foundation import Foundation

_PEERS = {"hotswap": "sd15_call_vs_peft", "merged_large": "sd15_call_vs_merged_ort"}
# The first call plans memory; the second of four rows was at times twice as long as those after it, on every side.
_WARM_UP = 2
_OPTIONS = ExportOptions(max_rank=16, slots=3, max_rows=4)


async def sd15(bench: Bench) -> Measured:
    """Ours against each peer, one process after the other, as two do not fit 16 GB; the worst ratio of any rows."""
    world = _world(bench.folder / "large", bench.scale.large)
    await _in_child(export_plain, world.foundation, world.package, world.plain_folder, world.subjects[0].data)
    figures, calls, differences, spread = {}, {}, {}, {}
    for side, figure in _PEERS.items():
        taken, predictions = await _in_blocks(bench, world, ("ours_cold", side))
        difference = check_same_prediction(side, predictions["ours_cold"], predictions[side])
        differences[figure] = float(f"{difference:.1e}")
        found = {rows: ratio(seconds[side], seconds["ours_cold"]) for rows, seconds in taken.items()}
        for rows, seconds in taken.items():
            told = {"ours": seconds["ours_cold"], "theirs": seconds[side]}
            calls[f"{figure}, {rows} rows"] = {name: milliseconds(each) for name, each in told.items()}
        worst = min(found.values(), key=lambda each: each.middle)
        figures[figure], spread[figure] = worst.middle, worst.spread
    details = {"sd15_call_ms": calls, "sd15_relative_difference": differences, "spread": spread}
    return Measured(figures, details)


async def _in_blocks(
    bench: Bench, world: World, sides: Sequence[str]
) -> tuple[dict[int, dict[str, list[float]]], dict[str, npt.NDArray[np.float32]]]:
    """Seconds of calls by rows and side, in blocks of one side that follow those of the other; a prediction of each."""
    scale = bench.scale
    taken: dict[int, dict[str, list[float]]] = {rows: {side: [] for side in sides} for rows in scale.large_rows}
    predictions = {}
    for _ in range(scale.large_blocks):
        for side in sides:
            async with running(side, world, Shape(1, usable()), bench.folder) as pool:
                loaded: Timed = await pool.call("cold", world.subjects[0])
                predictions[side] = loaded.prediction_BCHW
                for rows, seconds in taken.items():
                    for turn in range(_WARM_UP + scale.large_calls):
                        timed: Timed = await pool.call("call", rows)
                        if turn >= _WARM_UP:
                            seconds[side].append(timed.seconds)
    return taken, predictions


def _world(folder: Path, shape: str) -> World:
    """A foundation of that shape, its package, and a subject."""
    path, package = prepare({**SHAPES, TINY.name: TINY}[shape], folder, _OPTIONS)
    subjects = make_subjects(1, package, folder / "adapters")
    return World(Foundation.read(path), package, subjects, 1, 1.0, folder / "plain")


async def _in_child(call: Callable[..., object], *given: object) -> None:
    """In a process of its own, whose memory is free afterwards."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        await asyncio.get_running_loop().run_in_executor(pool, call, *given)
