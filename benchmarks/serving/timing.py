"""Times calls, and says how far what was measured spreads."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ratio:
    """A ratio of two sides, round by round.

    Attributes:
        middle: of the medians.
        low, high: of single rounds.
    """

    middle: float
    low: float
    high: float

    @property
    def spread(self) -> list[float]:
        """Of single rounds, for the report."""
        return [round(self.low, 4), round(self.high, 4)]


async def seconds_of(call: Awaitable[object]) -> float:
    """Seconds that it takes."""
    begin = time.perf_counter()
    await call
    return time.perf_counter() - begin


def timed(call: Callable[[], object]) -> float:
    """Seconds that it takes."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def ratio(above: Sequence[float], below: Sequence[float]) -> Ratio:
    """``above`` over ``below``, which were measured in turns."""
    rounds = [one / other for one, other in zip(above, below, strict=True)]
    return Ratio(statistics.median(above) / statistics.median(below), min(rounds), max(rounds))


def p95(seconds: Sequence[float]) -> float:
    """95th percentile."""
    return float(np.quantile(seconds, 0.95))


def milliseconds(seconds: Sequence[float]) -> list[float]:
    """For the report, to a hundredth."""
    return [round(one * 1000, 2) for one in seconds]
