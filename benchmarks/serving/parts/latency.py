"""Measures latency: of one request alone, and under a load that is the same share of each side's own capacity."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack

import numpy as np

from benchmarks.report import Measured
from benchmarks.serving.bench import OURS, Bench
from benchmarks.serving.parts.throughput import in_turns
from benchmarks.serving.sides.processes import Pool
from benchmarks.serving.sides.side import Shape
from benchmarks.serving.timing import milliseconds, p95, ratio, seconds_of
from benchmarks.serving.world import World


async def alone(bench: Bench) -> Measured:
    """One request after the other."""
    taken: dict[str, list[float]] = {"ours": [], "preloaded": []}
    async with bench.beside("preloaded", 1, 1) as pools:
        for turn in range(bench.scale.alone + 1):
            [one] = bench.world.requests(1, 1, turn=200 + turn)
            for side, pool in zip(taken, pools, strict=True):
                seconds = await seconds_of(pool.paint(one))
                if turn:
                    taken[side].append(seconds)
    means = {side: statistics.fmean(seconds) for side, seconds in taken.items()}
    return Measured(
        {"latency_alone_vs_preloaded": means["ours"] / means["preloaded"]},
        {"latency_alone_ms": {side: milliseconds(seconds) for side, seconds in taken.items()}, **bench.details},
    )


async def at_own_load(bench: Bench) -> Measured:
    """Poisson arrivals at the same share of each side's own capacity: the same arrivals, on each side's own clock.

    Each side takes the shape in which it answers soonest so, which need not be the one that paints most.
    """
    scale, figure = bench.scale, "p95_at_equal_load_vs_preloaded"
    shapes = {side: await _soonest(bench, side) for side in (OURS, "preloaded")}
    rounds: dict[str, list[list[float]]] = {side: [] for side in shapes}
    async with AsyncExitStack() as stack:
        pools = {side: await stack.enter_async_context(bench.running(side, shape)) for side, shape in shapes.items()}
        taken = await in_turns(bench, pools, scale.burst)
        rates = {side: scale.burst[1] / statistics.median(seconds) for side, seconds in taken.items()}
        for turn in range(scale.arrival_rounds):
            for side, pool in pools.items():
                rounds[side].append(await _under_load(bench, pool, rates[side], 7 + turn))
    whole = {side: [one for seconds in each for one in seconds] for side, each in rounds.items()}
    found = ratio([p95(each) for each in rounds[OURS]], [p95(each) for each in rounds["preloaded"]])
    bench.note("shapes", {f"{side}, under load": str(shape) for side, shape in shapes.items()})
    details = {
        "arrivals_per_second": {side: round(scale.load * rates[side], 3) for side in rounds},
        "arrivals": scale.arrivals * scale.arrival_rounds,
        "p95_ms": {side: round(p95(seconds) * 1000, 1) for side, seconds in whole.items()},
        "median_ms": {side: round(statistics.median(seconds) * 1000, 1) for side, seconds in whole.items()},
    }
    figures = {figure: p95(whole[OURS]) / p95(whole["preloaded"])}
    return Measured(figures, {**bench.details, "poisson": details, "spread": {figure: found.spread}})


async def _soonest(bench: Bench, side: str) -> Shape:
    """The shape with the least p95 at the wanted share of its own capacity."""
    images = bench.scale.burst[1]
    found: dict[Shape, float] = {}
    for shape, seconds in (await bench.in_every_shape(side, *bench.scale.burst)).items():
        async with bench.running(side, shape) as pool:
            found[shape] = p95(await _under_load(bench, pool, images / statistics.median(seconds), seed=6))
    bench.note("p95_tried_ms", {side: {str(shape): round(seconds * 1000, 1) for shape, seconds in found.items()}})
    return min(found, key=found.__getitem__)


async def _under_load(bench: Bench, pool: Pool, capacity: float, seed: int) -> list[float]:
    """Seconds of each of ``scale.arrivals`` requests, at the wanted share of so many images a second."""
    scale = bench.scale
    times = poisson(scale.arrivals, scale.load * capacity, seed)
    return await _latencies(pool, bench.world, times, scale.burst[0], 300 + seed)


async def _latencies(pool: Pool, world: World, times: Sequence[float], people: int, turn: int) -> list[float]:
    """Seconds from each request's arrival to its image."""
    wanted = world.requests(people, len(times), turn)
    begin = time.perf_counter()

    async def one(place: int, at: float) -> float:
        await asyncio.sleep(max(0.0, begin + at - time.perf_counter()))
        await pool.paint(wanted[place])
        return time.perf_counter() - begin - at

    return list(await asyncio.gather(*(one(place, at) for place, at in enumerate(times))))


def poisson(count: int, per_second: float, seed: int) -> list[float]:
    """Seconds from the start at which requests arrive: exponential gaps, always the same for a seed."""
    gaps = np.random.default_rng(seed).exponential(1 / per_second, count)
    return [float(at) for at in np.cumsum(gaps)]
