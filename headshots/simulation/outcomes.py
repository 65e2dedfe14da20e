"""Sums a simulated run up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from headshots.routing.ranking import Tier


@dataclass
class OrderTimes:
    """When what happened to an order, in seconds since the trace's begin; None: it does not happen to it."""

    ordered_at: float
    left: int
    """Images that are not there yet."""
    training_at: float | None = None
    first_image_at: float | None = None
    done_at: float | None = None


@dataclass(frozen=True)
class Waits:
    """Seconds from the order on: the median, and what 19 of 20 stay below; None where nobody waited for it."""

    p50: float | None
    p95: float | None


@dataclass(frozen=True)
class Cost:
    """Of one kind of replica."""

    hours: float
    """From the wish for each until it was gone, cold starts included."""
    price: float
    utilisation: float
    """Of the time that replicas were there: of the places in their batches, or of trainers, what was taken."""
    most: int
    """At once."""


@dataclass(frozen=True)
class Outcome:
    """What a policy came to."""

    orders: int
    images: int
    seconds: float
    """Until the last order was done."""
    images_per_hour: float
    until_training: Waits
    until_first_image: Waits
    until_done: Waits
    hit_rates: Mapping[str, float]
    """Shares of the images whose adapter was in a `slot` when they began, or else in `host` memory, on `disk` or in the
    `store` when the request came."""
    generators: Cost
    trainers: Cost
    cost: float
    cost_per_order: float
    served: Mapping[str, int] = field(default_factory=dict)
    """Requests by generator, in the order in which they joined."""


def waits(orders: Sequence[OrderTimes], what: str) -> Waits:
    """For `training_at`, `first_image_at` or `done_at`."""
    found = sorted(at - order.ordered_at for order in orders if (at := getattr(order, what)) is not None)
    return Waits(_quantile(found, 0.5), _quantile(found, 0.95))


def hit_rates(begun: Mapping[Tier, int]) -> dict[str, float]:
    """Of images by where their adapter was."""
    total = max(sum(begun.values()), 1)
    return {tier.name.lower(): begun.get(tier, 0) / total for tier in Tier}


def _quantile(found: Sequence[float], share: float) -> float | None:
    if not found:
        return None
    place = share * (len(found) - 1)
    low = int(place)
    high = min(low + 1, len(found) - 1)
    return found[low] + (found[high] - found[low]) * (place - low)
