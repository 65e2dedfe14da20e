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


async def best_first(
    tried: Sequence[Shape], timed: Callable[[Shape], Awaitable[list[float]]]
) -> dict[Shape, list[float]]:
    """The seconds that ``timed`` finds of each shape, the one with the least median first."""
    found = {shape: await timed(shape) for shape in tried}
    return dict(sorted(found.items(), key=lambda one: statistics.median(one[1])))
