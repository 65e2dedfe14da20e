"""The benchmark of shoots: what it counts as lost, painted twice and passed."""

from __future__ import annotations

from collections import Counter
from typing import Any

from benchmarks.shoot.judging import Passed, through_the_gate
from benchmarks.shoot.kills import count_doubled
from benchmarks.shoot.people import Person, shared, siblings
from benchmarks.shoot.report import STYLES
from foundry.portraits import held_out_seed, sample_identity


def somebody(number: int) -> Person:
    """Nobody of the published figures, for whom nothing may be chosen."""
    seed = held_out_seed(51_500 + number)
    return Person(number, f"Somebody {number}", sample_identity(seed), seed)


def shot(number: int, seed: int, sha256: str, *refused: tuple[int, str]) -> dict[str, Any]:
    tries = [{"seed": each, "image": {"sha256": digest}} for each, digest in refused]
    return {"number": number, "seed": seed, "image": {"sha256": sha256}, "refused_tries": tries}


def test_pictures_that_every_try_has_recorded_are_painted_once() -> None:
    rows = [shot(0, 3, "c", (1, "a"), (2, "b")), shot(1, 1, "d"), {**shot(2, 1, ""), "image": None}]
    assert count_doubled(rows, {"a", "b", "c", "d"}) == 0


def test_a_seed_that_was_tried_twice_counts() -> None:
    assert count_doubled([shot(0, 1, "b", (1, "a"))], {"a", "b"}) == 1


def test_a_picture_that_no_try_has_recorded_counts() -> None:
    assert count_doubled([shot(0, 1, "a")], {"a", "b"}) == 1


def test_true_pictures_pass_and_a_strangers_do_not() -> None:
    person, stranger = somebody(0), somebody(1)
    own = through_the_gate(person, person.in_scenes(1))
    assert own.pictures == len(STYLES)
    assert own.accepted >= len(STYLES) - 1
    other = through_the_gate(person, stranger.in_scenes(1))
    assert other.accepted_share == 0
    assert other.refused_for is not None
    assert other.refused_for["NOT_ALIKE"] == len(STYLES)


def test_what_passed_adds_up_over_people() -> None:
    total = Passed()
    total.add(Passed(4, 1, Counter({"BLURRY": 3})))
    total.add(Passed(4, 3, Counter({"BLURRY": 1})))
    assert (total.accepted_share, total.refused_for) == (0.5, Counter({"BLURRY": 4}))


def test_a_sibling_shares_most_of_a_person_and_is_nobody_else() -> None:
    persons = [somebody(number) for number in range(3)]
    for person, sibling in zip(persons, siblings(persons), strict=True):
        assert sibling.noun == person.noun
        assert 0.4 <= shared(person.identity, sibling.identity) < 1
