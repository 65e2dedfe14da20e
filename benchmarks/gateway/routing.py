"""Measures routing: hits and loads in a simulation, what moves when a replica joins, and how long a decision takes."""

from __future__ import annotations

import hashlib
import itertools
import random
import statistics
import time
from dataclasses import dataclass

from benchmarks.gateway.report import Scale
from benchmarks.report import Measured
from headshots.routing.fleet import Answer, Fleet
from headshots.routing.residents import ToldAdapters
from headshots.simulation.engine import Simulation
from headshots.simulation.policies import Policy
from headshots.simulation.service_times import ServiceTimes
from headshots.simulation.traces import Order

REPLICAS = 4
SLOTS = 16
"""Of a replica, one of them the bare foundation's."""
HOST_ROWS = 32
"""Adapters that fit into a replica's memory. On its disk is all that it ever loaded."""
IN_FLIGHT = 8
"""Requests that a replica works on at once; more wait there."""
SERVICE_SECONDS = 8.0
"""Of a request, give or take a fifth."""
LOAD = 0.7
"""Of what all replicas could do."""
GATEWAYS = 4
"""Of the run in which several share the replicas."""
REPLICAS_OF_A_DECISION = 64
_FIRST_SEED = 20_261_129
"""The rules of routing were chosen on seeds from 0 on: figures are of others."""
_FOUNDATION = "f0" * 32


def run_hits(scale: Scale) -> Measured:
    """48 and 200 subjects on four replicas: the mean hit rate of all seeds, and the worst load.

    The details tell of several gateways too, none of which knows all requests.
    """
    seeds = range(_FIRST_SEED, _FIRST_SEED + scale.seeds)
    shared = [outcome_of(subjects, _FIRST_SEED, scale, gateways=GATEWAYS) for subjects in (48, 200)]
    few, many = ([outcome_of(subjects, seed, scale) for seed in seeds] for subjects in (48, 200))
    return Measured(
        {
            "slot_hit_rate": statistics.mean(run.slot_hit_rate for run in few),
            "slot_hit_rate_200": statistics.mean(run.slot_hit_rate for run in many),
            "max_over_mean_load": max(run.max_over_mean_load for run in (*few, *many)),
        },
        {
            "slot_hit_rates": [round(run.slot_hit_rate, 4) for run in few],
            "slot_hit_rates_200": [round(run.slot_hit_rate, 4) for run in many],
            "slot_hit_rates_of_4_gateways": [round(run.slot_hit_rate, 4) for run in shared],
        },
    )


def run_scale_up(scale: Scale) -> Measured:
    """Four idle replicas become five: the share of adapters that another replica is the first for than before.

    The details tell of a running platform, where adapters stay in the slots that they are in: what the fifth gets of
    the requests that follow.
    """
    draw = random.Random(_FIRST_SEED)
    aliases = [f"{draw.getrandbits(64):016x}" for _ in range(REPLICAS + 1)]
    before, after = (_idle(aliases[:count]) for count in (REPLICAS, REPLICAS + 1))
    adapters = [_digest(number) for number in range(scale.adapters)]
    moved = sum(before.ranked(each, "")[0].alias != after.ranked(each, "")[0].alias for each in adapters)
    simulation = _simulation(_FIRST_SEED)
    simulation.run(_requests(48, _FIRST_SEED, scale.requests // 2, REPLICAS))
    simulation.add_generator(0.0)
    grown = simulation.run(_requests(48, _FIRST_SEED + 1, scale.requests // 2, REPLICAS + 1))
    share = list(grown.served.values())[-1] / sum(grown.served.values())
    details = {
        "share_of_the_fifth_after_scale_up": round(share, 4),
        "slot_hit_rate_after_scale_up": round(grown.hit_rates["slot"], 4),
    }
    return Measured({"moved_on_scale_up": moved / len(adapters)}, details)


def run_decisions(scale: Scale) -> Measured:
    """The CPU time of a decision among 64 replicas with full slots, memory and disks: it waits for nothing."""
    draw = random.Random(_FIRST_SEED)
    adapters = [_digest(number) for number in range(1_000)]
    fleet = _idle([f"{draw.getrandbits(64):016x}" for _ in range(REPLICAS_OF_A_DECISION)])
    for alias in fleet.states():
        has = draw.sample(adapters, SLOTS - 1), draw.sample(adapters, 100), draw.sample(adapters, 200)
        fleet.answered(alias, Answer(_FOUNDATION, is_serving=True, adapters=ToldAdapters(*has, SLOTS - 1)))
    seconds = []
    for sha256 in draw.choices(adapters, k=scale.decisions):
        begun_at = time.thread_time()
        fleet.ranked(sha256, sha256)
        seconds.append(time.thread_time() - begun_at)
    percentiles = statistics.quantiles(seconds, n=100)
    return Measured(
        {"routing_p99_us": percentiles[98] * 1e6}, {"routing_p50_us": round(statistics.median(seconds) * 1e6, 1)}
    )


@dataclass(frozen=True)
class Hits:
    slot_hit_rate: float
    max_over_mean_load: float
    """Requests that the busiest replica got, over the mean."""


def outcome_of(subjects: int, seed: int, scale: Scale, gateways: int = 1, routing: str = "adapter") -> Hits:
    outcome = _simulation(seed, gateways, routing).run(_requests(subjects, seed, scale.requests, REPLICAS))
    return Hits(outcome.hit_rates["slot"], max(outcome.served.values()) * REPLICAS / outcome.images)


def _simulation(seed: int, gateways: int = 1, routing: str = "adapter") -> Simulation:
    policy = Policy(
        min=REPLICAS,
        max=REPLICAS,
        routing=routing,
        batch=IN_FLIGHT,
        slots=SLOTS,
        host_adapters=HOST_ROWS,
        disk_adapters=1_000,
        gateways=gateways,
        in_flight=1_000_000,
    )
    return Simulation(policy, ServiceTimes({1: SERVICE_SECONDS}), seed=seed)


def _requests(subjects: int, seed: int, count: int, replicas: int) -> list[Order]:
    """A Poisson process of requests for subjects whose popularity is Zipf's with exponent 1."""
    drawn = random.Random(f"requests {seed}")
    rate = LOAD * replicas * IN_FLIGHT / SERVICE_SECONDS
    shares = [1 / (number + 1) for number in range(subjects)]
    times = itertools.accumulate(drawn.expovariate(rate) for _ in range(count))
    return [
        Order(at, f"subject {subject}", 1)
        for at, subject in zip(times, drawn.choices(range(subjects), shares, k=count), strict=True)
    ]


def _idle(aliases: list[str]) -> Fleet:
    fleet = Fleet()
    fleet.consists_of(aliases)
    for alias in aliases:
        fleet.answered(alias, Answer(_FOUNDATION, is_serving=True))
    return fleet


def _digest(number: int) -> str:
    return hashlib.sha256(f"adapter {number}".encode()).hexdigest()
