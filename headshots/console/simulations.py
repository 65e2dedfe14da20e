"""Shows outcomes of simulations beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headshots.console.output import counted, duration

if TYPE_CHECKING:
    from headshots.simulation.outcomes import Outcome
    from headshots.simulation.service_times import ServiceTimes
    from headshots.simulation.traces import Order


def title(orders: Sequence[Order], times: ServiceTimes) -> str:
    """What was replayed, and with which times."""
    images, trainings = sum(order.images for order in orders), sum(order.trains for order in orders)
    over = duration(orders[-1].at_seconds if orders else 0)
    batch = ", ".join(f"{seconds:g} s with {count} at once" for count, seconds in sorted(times.image_seconds.items()))
    trained = f"{times.training_seconds:g} s" if times.training_seconds else "not simulated"
    ordered = f"{counted(trainings, 'training')}, {counted(images, 'image')}"
    return f"{counted(len(orders), 'order')} in {over}: {ordered}. An image: {batch}; a training: {trained}."


def rows(outcomes: Sequence[Outcome]) -> list[list[str]]:
    """A line a figure, a column an outcome."""
    found: list[list[str]] = []

    def add(label: str, *values: str) -> None:
        found.append([label, *values])

    for label, waits in (
        ("training starts", [each.until_training for each in outcomes]),
        ("first image", [each.until_first_image for each in outcomes]),
        ("all images", [each.until_done for each in outcomes]),
    ):
        add(f"{label}, p50", *(_time(wait.p50) for wait in waits))
        add(f"{label}, p95", *(_time(wait.p95) for wait in waits))
    add("images an hour", *(f"{each.images_per_hour:.0f}" for each in outcomes))
    for tier, label in (("slot", "in slot"), ("host", "in memory"), ("disk", "on disk"), ("store", "in store")):
        add(f"adapter {label}", *(f"{each.hit_rates[tier]:.1%}" for each in outcomes))
    for kind in ("generators", "trainers"):
        costs = [getattr(each, kind) for each in outcomes]
        add(f"{kind}, most", *(str(cost.most) for cost in costs))
        add(f"{kind}, hours", *(f"{cost.hours:.{1 if cost.hours >= 10 else 2}f}" for cost in costs))
        add(f"{kind}, used", *(f"{cost.utilisation:.1%}" for cost in costs))
    if any(each.cost for each in outcomes):
        add("cost", *(f"{each.cost:.2f}" for each in outcomes))
        add("cost of an order", *(f"{each.cost_per_order:.4f}" for each in outcomes))
    return found


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)
