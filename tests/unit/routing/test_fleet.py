"""What the gateway knows of its generators: which are left out, and what each has loaded."""

from __future__ import annotations

import pytest

from headshots.routing.fleet import SUSPECT_ANSWERS, Answer, Fleet, State
from headshots.routing.ranking import Tier
from headshots.routing.residents import Residents, ToldAdapters

OURS, OTHER = "f0" * 32, "e1" * 32
A, B, C = (f"{number:064x}" for number in range(3))


def fleet_of(*aliases: str, foundation: str = OURS) -> Fleet:
    fleet = Fleet()
    fleet.consists_of(aliases)
    for alias in aliases:
        fleet.answered(alias, Answer(foundation, is_serving=True))
    return fleet


def ranked(fleet: Fleet, sha256: str | None = A) -> set[str]:
    return {each.alias for each in fleet.ranked(sha256, "key")}


def test_what_a_replica_told_is_corrected_by_what_it_was_sent() -> None:
    residents = Residents()
    residents.told(ToldAdapters(in_slots=[A, B], in_memory=[A], on_disk=[C], slots=2), in_use=())
    assert [residents.tier(each) for each in (A, B, C)] == [Tier.SLOT, Tier.SLOT, Tier.DISK]
    residents.used(C)
    # B was used least recently.
    assert [residents.tier(each) for each in (A, B, C)] == [Tier.SLOT, Tier.HOST, Tier.SLOT], (
        "B was used least recently"
    )


def test_a_new_answer_replaces_all_that_the_last_one_told() -> None:
    residents = Residents()
    residents.told(ToldAdapters(in_slots=[A], in_memory=[A, B], on_disk=[C], slots=2), in_use=())
    residents.told(ToldAdapters(on_disk=[A], slots=2), in_use=())
    assert [residents.tier(each) for each in (A, B, C)] == [Tier.DISK, Tier.STORE, Tier.STORE]


def test_an_adapter_in_use_is_there_though_the_replica_has_not_loaded_it_yet() -> None:
    fleet = fleet_of("a", "b")
    with fleet.sending("a", A):
        fleet.took("a", A)
        fleet.answered("a", Answer(OURS, is_serving=True))
        assert {each.alias: each.tier for each in fleet.ranked(A, "")} == {"a": Tier.SLOT, "b": Tier.STORE}
    fleet.answered("a", Answer(OURS, is_serving=True))
    assert {each.tier for each in fleet.ranked(A, "")} == {Tier.STORE}


def test_requests_in_flight_are_counted_however_they_end() -> None:
    fleet = fleet_of("a", "b")
    with fleet.sending("a", A), fleet.sending("a", None):
        assert fleet.in_flight("a") == 2
        fleet.consists_of(["a"])
    assert fleet.in_flight("a") == 0
    with pytest.raises(KeyError), fleet.sending("a", A):
        raise KeyError
    assert fleet.in_flight("a") == 0
    with fleet.sending("a", A):
        fleet.consists_of(["b"])


def test_requests_of_other_gateways_count_as_of_the_last_answer() -> None:
    fleet = fleet_of("a", "b")
    with fleet.sending("a", None), fleet.sending("b", None), fleet.sending("b", None):
        fleet.answered("a", Answer(OURS, is_serving=True, requests=4))
        fleet.answered("b", Answer(OURS, is_serving=True, requests=1))
        assert [(each.alias, each.in_flight) for each in fleet.ranked(None, "")] == [("b", 2), ("a", 4)]
    assert {each.alias: each.in_flight for each in fleet.ranked(None, "")} == {"a": 3, "b": 0}


def test_who_drains_is_away_or_unheard_of_is_left_out() -> None:
    fleet = fleet_of("a", "b", "c", "d")
    fleet.answered("a", Answer(OURS, is_serving=False))
    fleet.is_away("b")
    fleet.consists_of(["a", "b", "c", "d", "e"])
    assert ranked(fleet) == ranked(fleet, None) == {"c", "d"}
    fleet.answered("b", Answer(OURS, is_serving=True))
    assert ranked(fleet) == {"b", "c", "d"}
    assert fleet.states()["e"] is State.NEW


def test_where_none_is_ready_all_are_tried_but_those_with_another_foundation() -> None:
    fleet = fleet_of("a", "b", "c")
    fleet.answered("c", Answer(OTHER, is_serving=True))
    fleet.is_away("a")
    fleet.is_draining("b")
    fleet.is_away("c")
    assert ranked(fleet) == {"a", "b"}


def test_most_replicas_decide_which_foundation_is_served() -> None:
    fleet = fleet_of("a", "b", "c")
    fleet.answered("c", Answer(OTHER, is_serving=True))
    assert (fleet.states()["c"], ranked(fleet)) == (State.FOREIGN, {"a", "b"})
    fleet.is_away("a")
    fleet.answered("b", Answer(OURS, is_serving=True))
    assert ranked(fleet) == {"b"}, "at a tie the one that was served before is"
    fleet.answered("b", Answer(OTHER, is_serving=True))
    assert ranked(fleet) == {"b", "c"}


def test_those_that_are_not_ready_decide_nothing() -> None:
    fleet = fleet_of("a", "b", "c")
    for alias in "bc":
        fleet.answered(alias, Answer(OTHER, is_serving=False))
    fleet.consists_of(["a", "b", "c", "d", "e"])
    assert ranked(fleet) == {"a"}, "two that drain and two that have not answered do not outvote it"


def test_when_those_that_decided_have_left_the_others_serve_at_once() -> None:
    fleet = fleet_of("a", "b", "c")
    fleet.answered("c", Answer(OTHER, is_serving=True))
    assert fleet.states()["c"] is State.FOREIGN
    fleet.consists_of(["c", "d"])
    assert fleet.states()["c"] is State.READY


def test_who_failed_a_request_comes_last_for_its_next_answers() -> None:
    fleet = fleet_of("a", "b")
    fleet.took("a", A)
    fleet.failed("a")
    for _ in range(SUSPECT_ANSWERS):
        assert [each.alias for each in fleet.ranked(A, "")] == ["b", "a"]
        fleet.answered("a", Answer(OURS, is_serving=True, adapters=ToldAdapters([A], slots=3)))
    assert [each.alias for each in fleet.ranked(A, "")] == ["a", "b"]


def test_what_is_said_of_a_replica_that_left_is_ignored() -> None:
    fleet = fleet_of("a", "b")
    fleet.consists_of(["b"])
    fleet.answered("a", Answer(OURS, is_serving=True))
    fleet.is_away("a")
    fleet.failed("a")
    fleet.took("a", A)
    assert (set(fleet.states()), "a" in fleet, fleet.has_choice) == ({"b"}, False, False)
