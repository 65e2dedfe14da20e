"""What a replica is left out for, and what it is only ranked behind others for."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from headshots.errors import (
    DeadlineExceededError,
    HeadshotsError,
    InternalError,
    InvalidArgumentError,
    ResourceExhaustedError,
    UnavailableError,
)
from headshots.routing.fleet import Answer, Fleet, State
from services.gateway.peers.events import GenerationEvent, ImageDone, Waiting
from services.gateway.peers.generators.attempts import Attempts, blame, blaming
from services.gateway.peers.metrics import PoolMetrics

OURS = "aa" * 32
READY = State.READY


def fleet_of(*aliases: str) -> Fleet:
    fleet = Fleet()
    fleet.consists_of(aliases)
    for alias in aliases:
        fleet.answered(alias, Answer(OURS, is_serving=True))
    return fleet


@pytest.mark.parametrize(
    ("error", "state", "comes_last"),
    [
        (UnavailableError("GENERATOR_UNREACHABLE", ""), State.AWAY, True),
        (UnavailableError("GENERATOR_CUT", ""), State.AWAY, True),
        (UnavailableError("DRAINING", ""), State.DRAINING, False),
        (UnavailableError("SHUTTING_DOWN", ""), State.DRAINING, False),
        (UnavailableError("GENERATOR_LATE", ""), READY, True),
        (DeadlineExceededError("DEADLINE_EXCEEDED", ""), READY, True),
        (InternalError("INTERNAL", ""), READY, True),
        (ResourceExhaustedError("QUEUE_FULL", ""), READY, False),
        (InvalidArgumentError("PROMPT_TOO_LONG", ""), READY, False),
    ],
)
def test_who_is_left_out_and_who_comes_last(error: HeadshotsError, state: State, comes_last: bool) -> None:
    fleet = fleet_of("a", "b")
    blame(fleet, "a", error)
    assert fleet.states() == {"a": state, "b": READY}
    fleet.answered("a", Answer(OURS, is_serving=True))
    suspects = {each.alias: each.is_suspect for each in fleet.ranked(None, "")}
    assert suspects == {"a": comes_last, "b": False}


def test_where_all_refuse_the_caller_is_told_that_they_are_full_rather_than_that_one_is_away() -> None:
    fleet = fleet_of("a", "b", "c")
    attempts = Attempts(fleet, PoolMetrics(None).routing("main"), fleet.ranked(None, ""))
    full, away = ResourceExhaustedError("QUEUE_FULL", ""), UnavailableError("GENERATOR_UNREACHABLE", "")
    for candidate, error in zip(attempts, (away, full, away), strict=True):
        attempts.refused(candidate, error)
    assert attempts.refusal is full
    assert attempts.is_last


def test_who_left_while_others_were_asked_is_not_called() -> None:
    fleet = fleet_of("a", "b", "c")
    attempts = Attempts(fleet, PoolMetrics(None).routing("main"), fleet.ranked(None, ""))
    fleet.consists_of(["b"])
    assert [candidate.alias for candidate in attempts] == ["b"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ResourceExhaustedError("QUEUE_FULL", ""), "full"),
        (UnavailableError("GENERATOR_LATE", ""), "late"),
        (DeadlineExceededError("DEADLINE_EXCEEDED", ""), "late"),
        (UnavailableError("GENERATOR_CUT", ""), "cut"),
        (UnavailableError("SHUTTING_DOWN", ""), "draining"),
        (UnavailableError("GENERATOR_UNREACHABLE", ""), "unreachable"),
    ],
)
def test_why_one_was_passed_over_is_counted(error: HeadshotsError, reason: str) -> None:
    fleet, registry = fleet_of("a", "b"), CollectorRegistry()
    attempts = Attempts(fleet, PoolMetrics(registry).routing("main"), fleet.ranked(None, ""))
    attempts.refused(next(iter(attempts)), error)
    family = "headshots_gateway_generators_passed_over"
    (found,) = (each for each in registry.collect() if each.name == family)
    counted = {each.labels["reason"] for each in found.samples if each.name.endswith("_total") and each.value}
    assert counted == {reason}


@pytest.mark.parametrize(
    ("last", "comes_last"),
    [(Waiting(), True), (ImageDone("k", "aa" * 32, 1, "image/png", 1, 1), False)],
    ids=["without an image", "with one"],
)
def test_a_stream_that_ends_without_its_image_is_held_against_its_replica(
    last: GenerationEvent, comes_last: bool
) -> None:
    fleet = fleet_of("a", "b")
    with blaming(fleet, "a", 60.0) as heard:
        heard.note(last)
    assert {each.alias: each.is_suspect for each in fleet.ranked(None, "")} == {"a": comes_last, "b": False}
