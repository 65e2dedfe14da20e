"""Measures images a second: everything at once, against each peer."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from benchmarks.report import Measured
from benchmarks.serving.bench import Bench
from benchmarks.serving.sides.processes import Pool
from benchmarks.serving.timing import milliseconds, ratio, seconds_of


async def preloaded(bench: Bench) -> Measured:
    """(a)"""
    return await bursts(bench, "preloaded", "throughput_vs_preloaded_per_core", bench.scale.burst)


async def reload(bench: Bench) -> Measured:
    """(b)"""
    return await bursts(bench, "reload", "throughput_vs_reload", bench.scale.burst)


async def grouped(bench: Bench) -> Measured:
    """(c)"""
    return await bursts(bench, "grouped", "throughput_vs_grouped", bench.scale.burst)


async def mixed(bench: Bench) -> Measured:
    """(d)"""
    return await bursts(bench, "mixed", "throughput_vs_mixed_peft", bench.scale.burst)


async def merged(bench: Bench) -> Measured:
    """(e), one image for everybody."""
    return await bursts(bench, "merged", "throughput_vs_merged_ort", bench.scale.one_each)


async def merged_grouped(bench: Bench) -> Measured:
    """(e), where it can batch."""
    return await bursts(bench, "merged", "throughput_vs_merged_ort_grouped", bench.scale.grouped)


async def bursts(bench: Bench, peer: str, figure: str, burst: tuple[int, int]) -> Measured:
    """``burst``, of so many people so many images, by both sides in turns; keeps what each paints a second."""
    async with bench.beside(peer, *burst) as pools:
        taken = await in_turns(bench, dict(zip(("ours", peer), pools, strict=True)), burst)
    found = ratio(taken[peer], taken["ours"])
    rates = {side: burst[1] / statistics.median(seconds) for side, seconds in taken.items()}
    details: dict[str, Any] = {
        **bench.details,
        "burst_ms": {figure: {side: milliseconds(seconds) for side, seconds in taken.items()}},
        "images_per_second_of": {figure: {side: round(rate, 3) for side, rate in rates.items()}},
        "spread": {figure: found.spread},
    }
    if burst == bench.scale.burst:
        details["images_per_second"] = {side: round(rate, 3) for side, rate in rates.items()}
    return Measured({figure: found.middle}, details)


async def in_turns(bench: Bench, sides: Mapping[str, Pool], burst: tuple[int, int]) -> dict[str, list[float]]:
    """Seconds of each burst by each side, ``scale.rounds`` of them."""
    taken: dict[str, list[float]] = {side: [] for side in sides}
    for turn in range(bench.scale.rounds + 1):
        wanted = bench.world.requests(*burst, turn=100 + turn)
        for side, pool in sides.items():
            seconds = await seconds_of(pool.paint_all(wanted))
            if turn:  # the first plans memory
                taken[side].append(seconds)
    return taken
