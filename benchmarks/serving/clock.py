"""Times all sides in alternation, so that other work of the machine affects them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

Call = Callable[[], Awaitable[object]]


async def in_turns(calls: Mapping[str, Call], rounds: int) -> dict[str, list[float]]:
    """Seconds that each call took, ``rounds`` of each: first all once, then all again."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            begin = time.perf_counter()
            await call()
            taken[name].append(time.perf_counter() - begin)
    return taken


def medians(taken: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The median of each."""
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def milliseconds(seconds: Sequence[float]) -> list[float]:
    """For the report, to a hundredth."""
    return [round(one * 1000, 2) for one in seconds]
