"""The benchmark of the gateway measures what it says, and routing keeps its promises in a small simulation."""

from __future__ import annotations

import dataclasses

from benchmarks.gateway import routing
from benchmarks.gateway.report import QUICK, TARGETS

SMALL = dataclasses.replace(QUICK, requests=6_000, adapters=2_000, decisions=50)


def test_requests_find_their_adapter_in_a_slot_and_no_replica_is_overloaded() -> None:
    figures = routing.run_hits(SMALL).figures
    assert figures["slot_hit_rate"] >= TARGETS["slot_hit_rate"].bound
    # All 200 have to be loaded first, which weighs more in a short run.
    assert figures["slot_hit_rate_200"] >= 0.62
    assert figures["max_over_mean_load"] <= TARGETS["max_over_mean_load"].bound


def test_a_fifth_replica_takes_its_share() -> None:
    measured = routing.run_scale_up(SMALL)
    assert measured.figures["moved_on_scale_up"] <= TARGETS["moved_on_scale_up"].bound
    assert measured.details["share_of_the_fifth_after_scale_up"] >= 0.15


def test_a_decision_is_timed() -> None:
    measured = routing.run_decisions(SMALL)
    assert measured.figures["routing_p99_us"] > 0


def test_the_simulation_counts_as_it_should() -> None:
    """By turns and without regard to slots, as gRPC's round robin does, it finds what a closed form says of LRU."""
    outcome = routing.outcome_of(48, 0, SMALL, routing="round_robin")
    assert 0.60 < outcome.slot_hit_rate < 0.66
    assert outcome.max_over_mean_load == 1.0
