"""Replicas come and go as the manifests have it."""

from __future__ import annotations

import pytest

from headshots.simulation.scaling import ScaleRule, Scaling

RULE = ScaleRule(0, 8, 8.0, 300.0, 600.0, period_seconds=60.0, fewer=1)


def test_work_brings_the_first_at_once_and_then_twice_as_many_a_minute() -> None:
    scaling = Scaling(RULE)
    assert scaling.wanted(0, 100, 0) == 1
    assert scaling.wanted(15, 100, 1) == 2
    assert scaling.wanted(30, 100, 2) == 2
    assert scaling.wanted(80, 100, 2) == 4
    assert scaling.wanted(145, 100, 4) == 8
    assert scaling.wanted(210, 1000, 8) == 8


def test_one_a_minute_goes_when_the_largest_wish_of_the_window_is_past() -> None:
    scaling = Scaling(RULE)
    current, numbers = 4, []
    for now in range(0, 720, 15):
        current = scaling.wanted(now, 32 if now == 0 else 3, current)
        numbers.append(current)
    assert numbers[:21] == [4] * 21, "for 300 s"
    assert numbers[21:] == sorted(numbers[21:], reverse=True)
    assert numbers[21] == 3
    assert numbers[-1] == 1, "what is worked on keeps one"
    assert max(numbers.count(number) for number in (3, 2)) <= 5


def test_the_last_goes_after_ten_minutes_without_work() -> None:
    scaling = Scaling(RULE)
    assert scaling.wanted(1000, 1, 1) == 1
    assert scaling.wanted(1599, 0, 1) == 1
    assert scaling.wanted(1600, 0, 1) == 0
    assert scaling.wanted(1700, 0, 0) == 0


@pytest.mark.parametrize(("work", "wanted"), [(0, 2), (17, 3), (1000, 4)])
def test_the_least_always_run_and_the_most_are_never_exceeded(work: int, wanted: int) -> None:
    assert Scaling(ScaleRule(2, 4, 8.0, 0.0, 0.0, 60.0)).wanted(0, work, 2) == wanted
