"""Which replica a request goes to first, and which next."""

from __future__ import annotations

import math
import random
from collections import Counter

from headshots.routing.ranking import Candidate, Tier, bound, ranked_by_adapter, ranked_by_load, weight

REPLICAS = [f"{number:016x}" for number in range(5)]
ADAPTERS = [f"{number:064x}" for number in range(2_000)]


def idle(aliases: list[str]) -> list[Candidate]:
    return [Candidate(alias, 0) for alias in aliases]


def first(sha256: str, *candidates: Candidate) -> str:
    return ranked_by_adapter(sha256, candidates)[0].alias


def test_weights_are_the_same_in_every_process() -> None:
    """Or gateways would disagree, and each restart would move every adapter."""
    assert weight("ab" * 32, "0123456789abcdef") == 17971472934886872452


def test_the_order_of_the_replicas_does_not_matter() -> None:
    for sha256 in ADAPTERS[:50]:
        assert ranked_by_adapter(sha256, idle(REPLICAS)) == ranked_by_adapter(sha256, idle(REPLICAS[::-1]))


def test_adapters_are_spread_and_only_a_fifth_moves_to_a_fifth_replica() -> None:
    before = {sha256: first(sha256, *idle(REPLICAS[:4])) for sha256 in ADAPTERS}
    after = {sha256: first(sha256, *idle(REPLICAS)) for sha256 in ADAPTERS}
    assert max(Counter(before.values()).values()) < 1.15 * len(ADAPTERS) / 4
    moved = [sha256 for sha256 in ADAPTERS if before[sha256] != after[sha256]]
    assert {after[sha256] for sha256 in moved} == {REPLICAS[4]}
    assert 0.15 < len(moved) / len(ADAPTERS) < 0.25


def test_who_has_the_adapter_comes_first_by_the_quickest_tier() -> None:
    random.seed(0)
    for sha256 in ADAPTERS[:20]:
        candidates = [Candidate(alias, 0, tier) for alias, tier in zip(REPLICAS, Tier, strict=False)]
        random.shuffle(candidates)
        assert [each.tier for each in ranked_by_adapter(sha256, candidates)] == list(Tier)


def test_of_several_with_the_adapter_in_a_slot_the_least_loaded_comes_first() -> None:
    candidates = [Candidate("a", 3, Tier.SLOT), Candidate("b", 2, Tier.SLOT), Candidate("c", 4, Tier.STORE)]
    assert {first(sha256, *candidates) for sha256 in ADAPTERS[:20]} == {"b"}


def test_where_it_has_to_be_loaded_the_less_loaded_of_the_two_that_weigh_most_comes_first() -> None:
    for sha256 in ADAPTERS[:20]:
        heaviest, second, third, *_ = ranked_by_adapter(sha256, idle(REPLICAS))
        loads = {heaviest.alias: 8, second.alias: 7, third.alias: 6}
        loaded = [Candidate(alias, loads.get(alias, 8)) for alias in REPLICAS]
        assert first(sha256, *loaded) == second.alias


def test_no_replica_gets_more_than_the_bound() -> None:
    draw = random.Random(1)
    for sha256 in ADAPTERS[:500]:
        candidates = [Candidate(alias, draw.randrange(12), draw.choice(list(Tier))) for alias in REPLICAS]
        in_flight = sum(each.in_flight for each in candidates) + 1
        chosen = ranked_by_adapter(sha256, candidates)[0]
        assert chosen.in_flight + 1 <= bound(in_flight, len(REPLICAS)) == math.ceil(1.25 * in_flight / len(REPLICAS))


def test_who_is_at_the_bound_is_passed_over_though_it_has_the_adapter() -> None:
    assert first("ab" * 32, Candidate("a", 3, Tier.SLOT), Candidate("b", 0), Candidate("c", 1)) in "bc"
    assert first("ab" * 32, Candidate("a", 1, Tier.SLOT), Candidate("b", 1), Candidate("c", 1)) == "a"


def test_all_are_ranked_so_that_who_refuses_can_be_passed_over() -> None:
    candidates = [
        Candidate("a", 9, Tier.SLOT),
        Candidate("b", 0),
        Candidate("c", 7),
        Candidate("d", 0, is_suspect=True),
    ]
    assert [each.alias for each in ranked_by_adapter("ab" * 32, candidates)] == ["b", "c", "a", "d"]
    assert ranked_by_adapter("ab" * 32, []) == []


def test_without_an_adapter_the_least_loaded_comes_first_and_ties_are_spread() -> None:
    assert [each.alias for each in ranked_by_load("", [Candidate("a", 2), Candidate("b", 0), Candidate("c", 1)])] == [
        *"bca"
    ]
    assert {ranked_by_load(key, idle(REPLICAS))[0].alias for key in ADAPTERS[:100]} == set(REPLICAS)
