"""Holds the figures, what they must reach, and how much is done for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.report import Target

LIBRARIES = ("grpcio",)

TARGETS: Mapping[str, Target] = {
    "slot_hit_rate": Target(0.94, False, "requests whose adapter is in a slot: 48 subjects by Zipf 1.0, 4 replicas"),
    "slot_hit_rate_200": Target(0.65, False, "the same of 200 subjects"),
    "max_over_mean_load": Target(1.25, True, "requests of the busiest replica over the mean, the worst run"),
    "moved_on_scale_up": Target(0.25, True, "adapters that a fifth replica takes over from four"),
    "simulation_error": Target(0.15, True, "simulated throughput and p95 of a trace against a real run, the worse"),
    "cold_start_seconds_to_first_image": Target(6, True, "seconds from an order to its first image, from no generator"),
    "routing_p99_us": Target(300, True, "a decision among 64 replicas"),
}


@dataclass(frozen=True)
class Scale:
    """How much is done."""

    requests: int
    """Of a simulated run."""
    seeds: int
    """Runs, each with other subjects, replicas and arrivals."""
    adapters: int
    """Whose replica is looked for before and after one joins."""
    decisions: int
    """That are timed."""
    cold_starts: int
    """Galleries that are ordered while no generator runs."""
    replayed_seconds: float
    """Of a trace that is replayed in real time."""


FULL = Scale(requests=20_000, seeds=5, adapters=10_000, decisions=20_000, cold_starts=3, replayed_seconds=75.0)
QUICK = Scale(requests=2_000, seeds=1, adapters=1_000, decisions=500, cold_starts=1, replayed_seconds=10.0)
