"""Draws a trace: orders of a Poisson process whose rate follows a day's shape."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from headshots.errors import InvalidArgumentError
from headshots.simulation.traces import MOST_IMAGES, MOST_SECONDS, Order

SHAPES: dict[str, tuple[float, ...]] = {
    "flat": (1.0,),
    # By hour: nights are quiet, noon and evening are not.
    "day": (2, 1, 1, 1, 1, 2, 4, 7, 9, 10, 10, 11, 12, 11, 10, 9, 9, 10, 12, 14, 15, 12, 8, 4),
}
"""Rates over a day, in parts of any unit, each for the same time; the first at midnight."""
MOST_ORDERS = 1_000_000


@dataclass(frozen=True)
class Arrivals:
    """What is ordered."""

    per_day: float
    """Orders on the mean of a day."""
    hours: float = 24.0
    shape: Sequence[float] = SHAPES["flat"]
    images: int = 20
    """Of an order."""
    returning: float = 0.2
    """Share of orders by people who were trained before, of the trace or before it; they are not trained again."""
    known: int = 100
    """Subjects who were trained before the trace. Who returns is drawn by Zipf's law with exponent 1, newest first."""


def draw(arrivals: Arrivals, seed: int) -> list[Order]:
    """The orders, by time; the same for the same seed.

    Raises:
        InvalidArgumentError: TRACE_INVALID.
    """
    _check(arrivals)
    drawn, orders, subjects = random.Random(seed), list[Order](), [f"known-{n}" for n in range(arrivals.known)]
    highest = arrivals.per_day / 86_400 * max(arrivals.shape) / (sum(arrivals.shape) / len(arrivals.shape))
    now, end = drawn.expovariate(highest), arrivals.hours * 3600
    while now < end:
        # Thinning (Lewis and Shedler, 1979): of a process at the highest rate each is kept with the rate's share of it.
        part = arrivals.shape[int(now % 86_400 / 86_400 * len(arrivals.shape))]
        if drawn.random() < part / max(arrivals.shape):
            returns = bool(subjects) and drawn.random() < arrivals.returning
            if returns:
                # Inverse of the harmonic numbers, near enough to Zipf's: rank k has a share of 1/k.
                rank = min(int(math.exp(drawn.random() * math.log(len(subjects) + 1))), len(subjects))
                subject = subjects[-rank]
            else:
                subject = f"s{len(orders) + 1}"
                subjects.append(subject)
            orders.append(Order(now, subject, arrivals.images, trains=not returns))
        now += drawn.expovariate(highest)
    return orders


def _check(arrivals: Arrivals) -> None:
    days = arrivals.hours / 24
    limits = (
        (
            0 < arrivals.per_day * days <= MOST_ORDERS,
            f"{arrivals.per_day:g} orders a day for {arrivals.hours:g} hours cannot be drawn; a trace has at most "
            f"{MOST_ORDERS:,}, and more than none",
        ),
        (0 < arrivals.hours * 3600 <= MOST_SECONDS, "a trace has at most 31 days, and more than none"),
        (0 < arrivals.images <= MOST_IMAGES, f"an order has 1 to {MOST_IMAGES:,} images"),
        (0 <= arrivals.returning <= 1, "the share of who returns is 0 to 1"),
        (0 <= arrivals.known <= MOST_ORDERS, f"at most {MOST_ORDERS:,} subjects are known before"),
        (
            all(0 <= part < math.inf for part in arrivals.shape) and sum(arrivals.shape) > 0,
            "the parts of a day are at least 0, and not all of them are",
        ),
    )
    for holds, what in limits:
        if not holds:
            raise InvalidArgumentError("TRACE_INVALID", what)
