"""Trainers come for what waits, train one subject each, and only idle ones go."""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import random
from collections.abc import Callable

import pytest

from headshots.simulation.policies import Policy
from headshots.simulation.service_times import ServiceTimes
from headshots.simulation.trainers import Trainers, Training

POLICY = Policy(
    trainers_max=2,
    trainers_cold_start_seconds=5,
    trainers_scale_down_seconds=0,
    trainers_price_per_hour=36,
    scale_poll_seconds=10,
    to_zero_seconds=100,
)
TIMES = ServiceTimes({1: 1.0}, training_seconds=50.0, spread=0.0)


class Clock:
    """Has what trainers ask for happen, in the order of time."""

    def __init__(self) -> None:
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def at(self, when: float, happen: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._numbers), happen))

    def run(self, until: float) -> None:
        while self._events and self._events[0][0] <= until:
            heapq.heappop(self._events)[2]()


def test_they_start_cold_train_one_each_and_go_when_nothing_is_left() -> None:
    clock, begun = Clock(), list[tuple[int, float]]()
    trainers = Trainers(
        POLICY, TIMES, random.Random(0), clock.at, lambda training, at: begun.append((training.order, at))
    )
    for number in range(3):
        trainers.add(Training("acme", number), 0.0)
    clock.run(1000.0)
    # The first at once, another at KEDA's next look; the third waits for the first of them to be idle.
    assert begun == [(0, 5.0), (1, 15.0), (2, 55.0)]
    cost = trainers.cost(1000.0)
    # All is done at 105 s. One was too many from the look at 70 s on, and the other went at 200 s.
    assert cost.most == 2
    assert cost.hours * 3600 == pytest.approx(200 + (70 - 10))
    assert cost.price == pytest.approx(cost.hours * 36)
    assert cost.utilisation == pytest.approx(150 / 260)
    assert trainers.cost(5000.0) == cost, "none is left"


def test_who_trains_does_not_go_though_another_came_later() -> None:
    clock, begun = Clock(), list[tuple[int, float]]()
    trainers = Trainers(
        POLICY, TIMES, random.Random(0), clock.at, lambda training, at: begun.append((training.order, at))
    )
    for number in range(3):
        trainers.add(Training("acme", number), 0.0)
    clock.run(75.0)
    trainers.add(Training("acme", 3), 75.0)
    clock.run(1000.0)
    # The second, idle, went at 70 s: a new one starts at the look at 80 s, while the first trains until 105 s.
    assert begun == [(0, 5.0), (1, 15.0), (2, 55.0), (3, 85.0)]


def test_one_that_has_not_started_goes_before_one_that_is_idle_and_trains_nobody() -> None:
    clock, begun = Clock(), list[tuple[int, float]]()
    policy = dataclasses.replace(POLICY, trainers_min=1, trainers_cold_start_seconds=25)
    times = dataclasses.replace(TIMES, training_seconds=8.0)
    trainers = Trainers(
        policy, times, random.Random(0), clock.at, lambda training, at: begun.append((training.order, at))
    )
    for number in range(3):
        trainers.add(Training("acme", number), 0.0)
    clock.run(40.0)
    # Another starts at the look at 10 s, and is not wanted any more at 20 s.
    assert trainers.cost(40.0).hours * 3600 == pytest.approx(40 + 10)
    for number in (3, 4):
        trainers.add(Training("acme", number), 40.0)
    clock.run(60.0)
    assert begun == [(0, 0.0), (1, 8.0), (2, 16.0), (3, 40.0), (4, 48.0)]
