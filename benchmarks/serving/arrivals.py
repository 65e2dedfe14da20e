"""Sends requests at the times of a Poisson process, the same for both sides."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import numpy as np

from benchmarks.serving.ours import OurEngine
from benchmarks.serving.peers import Peer
from benchmarks.serving.world import Wanted


def poisson(count: int, per_second: float, seed: int = 7) -> list[float]:
    """Seconds from the start at which requests arrive: exponential gaps, always the same for a seed."""
    gaps = np.random.default_rng(seed).exponential(1 / per_second, count)
    return [float(at) for at in np.cumsum(gaps)]


async def ours_latencies(engine: OurEngine, wanted: Sequence[Wanted], times: Sequence[float]) -> list[float]:
    """Seconds from a request's arrival to its image, for request ``i mod n`` at ``times[i]``."""
    begin = time.perf_counter()

    async def one(place: int, at: float) -> float:
        await asyncio.sleep(max(0.0, begin + at - time.perf_counter()))
        await engine.paint(wanted[place % len(wanted)])
        return time.perf_counter() - begin - at

    return list(await asyncio.gather(*(one(place, at) for place, at in enumerate(times))))


def peer_latencies(peer: Peer, wanted: Sequence[Wanted], times: Sequence[float]) -> list[float]:
    """The same for a peer, which serves first come, first served."""
    begin, taken = time.perf_counter(), []
    for place, at in enumerate(times):
        time.sleep(max(0.0, begin + at - time.perf_counter()))
        peer.paint(wanted[place % len(wanted)])
        taken.append(time.perf_counter() - begin - at)
    return taken


def p95(seconds: Sequence[float]) -> float:
    """95th percentile."""
    return float(np.quantile(seconds, 0.95))
