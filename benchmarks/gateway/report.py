"""Holds the figures, what they must reach, and how much is done for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.report import Target

LIBRARIES = ("grpcio", "sqlalchemy", "psycopg", "uvloop")

TARGETS: Mapping[str, Target] = {
    "slot_hit_rate": Target(0.94, False, "requests whose adapter is in a slot: 48 subjects by Zipf 1.0, 4 replicas"),
    "slot_hit_rate_200": Target(0.65, False, "the same of 200 subjects"),
    "max_over_mean_load": Target(1.25, True, "requests of the busiest replica over the mean, the worst run"),
    "moved_on_scale_up": Target(0.25, True, "adapters that a fifth replica takes over from four"),
    "simulation_error": Target(0.15, True, "simulated throughput and p95 of a trace against a real run, the worse"),
    "cold_start_seconds_to_first_image": Target(6, True, "seconds from an order to its first image, from no generator"),
    "routing_p99_us": Target(300, True, "a decision among 64 replicas"),
    "unary_p50_ms": Target(3, True, "GetSubject at half of the gateway's capacity, from when each call was due"),
    "unary_p99_ms": Target(15, True, "the same, the slowest hundredth"),
    "shot_overhead_ms": Target(10, True, "a shot's time beyond the generator's, one after another"),
    "watchers_1000_cpu_share": Target(0.25, True, "of a core, with 1,000 open watches while 16 shots are painted"),
    "list_100k_over_1k": Target(1.5, True, "a page among 100,000 images over one among 1,000"),
    "noisy_neighbour": Target(3, True, "what a shot waits behind another tenant's 32,000, in shots' time"),
    "rolling_update_lost_or_doubled": Target(0, True, "of 200 shots, while every process is replaced twice"),
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
    seconds: float
    """Of each measurement under load."""
    shots: int
    """Painted one after another."""
    galleries: int
    """Of 160 shots, that a greedy tenant queues."""
    probes: int
    """Shots of another tenant behind them."""
    watchers: int
    """Open watch streams."""
    images: int
    """Among which a page is listed, and a hundredth of them."""
    rolling_shots: int
    """Painted at least while every process is replaced."""
    rounds: int
    """So many times."""
    cold_starts: int
    """Galleries that are ordered while no generator runs."""
    replayed_seconds: float
    """Of a trace that is replayed in real time."""
    databases: tuple[str, ...] = ("sqlite", "postgresql")
    """That each load is put on; the worse one counts."""


FULL = Scale(
    requests=20_000,
    seeds=5,
    adapters=10_000,
    decisions=20_000,
    seconds=12.0,
    shots=160,
    galleries=200,
    probes=8,
    watchers=1_000,
    images=100_000,
    rolling_shots=200,
    rounds=2,
    cold_starts=3,
    replayed_seconds=75.0,
)
QUICK = Scale(
    requests=2_000,
    seeds=1,
    adapters=1_000,
    decisions=500,
    seconds=1.0,
    shots=8,
    galleries=2,
    probes=1,
    watchers=20,
    images=1_600,
    rolling_shots=10,
    rounds=1,
    cold_starts=1,
    replayed_seconds=10.0,
    databases=("sqlite",),
)
