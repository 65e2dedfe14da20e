"""Gateways know of generators what those told at the last look, and what they were sent since."""

from __future__ import annotations

import random
from collections import Counter

from headshots.simulation.dispatching import Dispatcher
from headshots.simulation.policies import Policy
from headshots.simulation.replicas import Generator, Shot, State
from headshots.simulation.service_times import ServiceTimes

TIMES = ServiceTimes({1: 10.0}, spread=0.0)


def test_generators_tell_of_themselves_as_often_as_they_are_asked_and_never_in_between() -> None:
    policy = Policy(slots=3, generator_poll_seconds=2.0)
    dispatcher, generator = Dispatcher(policy, random.Random(0)), Generator("a", policy, TIMES, 0.0, Counter())
    dispatcher.join(generator)
    dispatcher.tell_until(0.0)
    shot = Shot(0, "acme", "ada/1", 1.0)
    generator.take(shot, 0.5)
    for now, is_untold in ((1.0, True), (1.9, True), (2.0, False)):
        dispatcher.tell_until(now)
        assert generator.has_news is is_untold, now


def test_one_of_its_slots_is_the_bare_foundations() -> None:
    generator = Generator("a", Policy(slots=3), TIMES, 0.0, Counter())
    shots = [Shot(0, "acme", name, 1.0) for name in ("ada/1", "bob/1")]
    for shot in shots:
        generator.take(shot, 0.0)
        generator.loaded(shot, 0.0)
    told = generator.tell()
    assert told.adapters.slots == 2
    assert list(told.adapters.in_slots) == ["bob/1", "ada/1"], "the most recently used first"
    assert told.requests == 2


def test_a_gateway_that_has_as_many_under_way_as_it_may_sends_no_more() -> None:
    policy = Policy(gateways=1, in_flight=1)
    dispatcher = Dispatcher(policy, random.Random(0))
    assert dispatcher.free_gateway() is None, "there is no generator"
    generator = Generator("a", policy, TIMES, 0.0, Counter())
    generator.state = State.READY
    dispatcher.join(generator)
    shot = Shot(0, "acme", "ada/1", 1.0)
    assert dispatcher.free_gateway() == 0
    dispatcher.send(shot, 0)
    assert dispatcher.free_gateway() is None
    dispatcher.delivered(shot)
    assert dispatcher.free_gateway() == 0
