"""Finds for each side the number of threads that suits it best on this machine."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Awaitable, Callable


def candidates() -> list[int]:
    """1, 2, 4 and so on, and one a CPU that this process may use."""
    cpus = len(os.sched_getaffinity(0))
    powers = [2**power for power in range(cpus.bit_length()) if 2**power <= cpus]
    return sorted({*powers, cpus})


async def fastest(call: Callable[[int], Awaitable[object]], tries: int) -> tuple[int, dict[int, float]]:
    """The candidate that ``call`` takes least time with, and the median seconds of each; ``tries`` times, in turns."""
    taken: dict[int, list[float]] = {threads: [] for threads in candidates()}
    for turn in range(tries + 1):
        for threads, seconds in taken.items():
            begin = time.perf_counter()
            await call(threads)
            if turn:  # the first warms up
                seconds.append(time.perf_counter() - begin)
    medians = {threads: statistics.median(seconds) for threads, seconds in taken.items()}
    return min(medians, key=lambda threads: medians[threads]), medians
