"""Measures what a subject costs that was not there: time from its file to a first step, and memory."""

from __future__ import annotations

import statistics
from contextlib import AsyncExitStack
from functools import partial

from benchmarks.report import Measured
from benchmarks.serving.bench import Bench
from benchmarks.serving.content import check_same_prediction
from benchmarks.serving.shapes import best_first, usable
from benchmarks.serving.sides.calls import Timed
from benchmarks.serving.sides.plain import export_plain
from benchmarks.serving.sides.processes import Pool, running
from benchmarks.serving.sides.side import Shape
from benchmarks.serving.timing import milliseconds, ratio
from benchmarks.serving.world import Subject

_SIDES = {"ours_cold": "ours", "hotswap": "hotswap", "merged": "merged_ort"}


async def cold(bench: Bench) -> Measured:
    """From a file on the disk, read before, to the prediction of a call of two rows."""
    _export(bench)
    taken: dict[str, list[Timed]] = {side: [] for side in _SIDES}
    chosen: dict[str, Shape] = {}
    for side in _SIDES:
        tried = [Shape(1, threads) for threads in sorted({1, usable()})]
        chosen[side], *_ = await best_first(tried, partial(_loads, bench, side))
    differences: dict[str, float] = {}
    async with AsyncExitStack() as stack:
        pools = {
            side: await stack.enter_async_context(running(side, bench.world, shape, bench.folder))
            for side, shape in chosen.items()
        }
        for turn in range(bench.scale.cold + 1):
            subject = bench.world.subjects[turn % len(bench.world.subjects)]
            found = {side: await _load(pool, subject) for side, pool in pools.items()}
            for side, name in _SIDES.items():
                difference = check_same_prediction(
                    name, found["ours_cold"].prediction_BCHW, found[side].prediction_BCHW
                )
                differences[name] = max(differences.get(name, 0.0), difference)
                if turn:
                    taken[side].append(found[side])
    seconds = {side: [timed.seconds for timed in each] for side, each in taken.items()}
    loads = {_SIDES[side]: [timed.load_seconds for timed in each] for side, each in taken.items()}
    against = {_SIDES[side]: ratio(seconds["ours_cold"], seconds[side]) for side in ("hotswap", "merged")}
    details = {
        "cold_ms": {_SIDES[side]: milliseconds(each) for side, each in seconds.items()},
        "cold_load_alone_ms": {side: round(statistics.median(each) * 1000, 2) for side, each in loads.items()},
        "cold_relative_difference": {side: float(f"{found:.1e}") for side, found in differences.items()},
        "shapes": {f"{_SIDES[side]}, cold": str(shape) for side, shape in chosen.items()},
        "spread": {f"cold_adapter_vs_{side}": found.spread for side, found in against.items()},
    }
    return Measured({f"cold_adapter_vs_{side}": found.middle for side, found in against.items()}, details)


async def resident(bench: Bench) -> Measured:
    """Memory of a process over many subjects: rows, in the bank and packed beside it, against sessions."""
    _export(bench)
    found = {}
    for side, count in zip(("ours_cold", "merged"), bench.scale.resident, strict=True):
        async with running(side, bench.world, Shape(1, 1), bench.folder) as pool:
            found[_SIDES[side]] = await pool.call("resident", count)
    figures = {"resident_subjects_per_gb_vs_merged_ort": found["merged_ort"] / found["ours"]}
    return Measured(figures, {"resident_bytes_a_subject": found})


def _export(bench: Bench) -> None:
    export_plain(bench.world.foundation, bench.world.package, bench.world.plain_folder)


async def _loads(bench: Bench, side: str, shape: Shape) -> list[float]:
    async with running(side, bench.world, shape, bench.folder) as pool:
        found = [await _load(pool, subject) for subject in bench.world.subjects[: bench.scale.tries + 1]]
    # The first warms up.
    return [timed.seconds for timed in found[1:]]


async def _load(pool: Pool, subject: Subject) -> Timed:
    found: Timed = await pool.call("cold", subject)
    return found
