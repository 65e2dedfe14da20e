"""Finds for each side the processes and threads that suit it best on this machine."""

from __future__ import annotations

import os
import statistics
from collections.abc import Awaitable, Callable, Sequence

from benchmarks.serving.sides.side import Shape


def shapes(cpus: int) -> list[Shape]:
    """A process a CPU, one process with all of them, and between these every power of two."""
    threads = [2**power for power in range(cpus.bit_length()) if 2**power <= cpus]
    return [Shape(cpus // count, count) for count in sorted({*threads, cpus})]


def usable() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0))


async def fastest(
    tried: Sequence[Shape], timed: Callable[[Shape], Awaitable[list[float]]]
) -> tuple[Shape, dict[str, list[float]]]:
    """The shape with the least median of the seconds that ``timed`` finds, and all seconds."""
    found = {shape: await timed(shape) for shape in tried}
    best = min(tried, key=lambda shape: statistics.median(found[shape]))
    return best, {str(shape): seconds for shape, seconds in found.items()}
