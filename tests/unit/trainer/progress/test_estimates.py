"""How long a training still needs: against what recorded runs then took, and rule by rule."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from services.trainer.progress.estimates import MIN_STEPS, WARM_UP_STEPS, Estimates
from services.trainer.progress.phases import Entered, JobProgress, Phase
from services.trainer.run.messages import Event, Progress, Started, decode_event
from tests.support.paths import ROOT

RECORDINGS = ROOT / "tests" / "support" / "trainer" / "recordings"
# An estimate over what it then took.
LEAST, MOST = 0.7, 1.4
# So near to the end a second more or less is no error that anybody sees.
_NEAR_SECONDS = 3.0

Messages = list[tuple[float, Event]]


@dataclass(frozen=True)
class Told:
    """An estimate of a run, and what it then took."""

    step: int
    eta_seconds: float
    took_seconds: float

    @property
    def error(self) -> float:
        return self.eta_seconds / self.took_seconds


def recorded(name: str) -> tuple[Messages, float]:
    """The messages of a real training with their times, and when it ended."""
    document: dict[str, Any] = json.loads((RECORDINGS / f"{name}.json").read_text())
    *messages, (ended, last) = document["messages"]
    assert last == {"kind": "Succeeded"}
    return [(time, decode_event(json.dumps(message).encode())) for time, message in messages], ended


def replayed(messages: Messages, ended: float) -> Iterator[Told]:
    estimates = Estimates()
    for now, message in messages:
        hand(estimates, message, now)
        step = estimates.progress.done if estimates.progress is not None else 0
        if estimates.eta_seconds is not None:
            yield Told(step, estimates.eta_seconds, ended - now)


def hand(estimates: Estimates, message: Event, now: float) -> None:
    if isinstance(message, Entered):
        estimates.entered(message, now)
    elif isinstance(message, Started):
        estimates.started(message.step, message.total_steps, message.judged_after, message.judging_work, now)
    else:
        assert isinstance(message, Progress)
        estimates.stepped(message.step, message.step_seconds, now)


def cold(messages: Messages, ended: float, times: float) -> tuple[Messages, float]:
    """The run on a machine where its first steps take so many times as long, as on one that has just started."""
    changed, later, steps = Messages(), 0.0, 0
    for now, message in messages:
        if isinstance(message, Progress):
            seconds = []
            for one in message.step_seconds:
                seconds.append(one * times if steps < WARM_UP_STEPS else one)
                later += seconds[-1] - one
                steps += 1
            message = replace(message, step_seconds=seconds)
        changed.append((now + later, message))
    return changed, ended + later


def test_of_a_recorded_run_every_estimate_from_the_first_on_is_near_what_it_then_took() -> None:
    told = list(replayed(*recorded("quiet")))
    assert told[0].step <= WARM_UP_STEPS + MIN_STEPS + 2, "as soon as it can be told, two steps a message"
    wrong = [each for each in told if each.took_seconds > _NEAR_SECONDS and not LEAST <= each.error <= MOST]
    assert wrong == []


def test_under_load_with_stalls_the_first_estimate_is_near_what_it_then_took() -> None:
    first, *others = replayed(*recorded("busy"))
    assert LEAST <= first.error <= MOST
    # What else runs on a machine comes and goes: nobody can tell it before.
    far = [each for each in others if each.took_seconds > _NEAR_SECONDS and not 0.5 <= each.error <= 2]
    assert far == []


@pytest.mark.parametrize("name", ["quiet", "busy"])
def test_steps_that_warm_up_are_left_out(name: str) -> None:
    first, *_ = replayed(*cold(*recorded(name), times=15.0))
    assert LEAST <= first.error <= MOST


def test_nothing_is_told_before_it_was_measured() -> None:
    estimates = Estimates()
    assert (estimates.progress, estimates.eta_seconds) == (None, None)
    estimates.started(0, 100, [], 0.0, now=0.0)
    steps = WARM_UP_STEPS + MIN_STEPS
    estimates.stepped(steps - 1, [1.0] * (steps - 1), now=9.0)
    assert estimates.progress == JobProgress(Phase.TRAINING, steps - 1, 100, None)
    assert estimates.eta_seconds is None
    estimates.stepped(steps, [1.0], now=10.0)
    assert estimates.eta_seconds == 90.0


def test_judging_is_counted_as_work_until_it_was_measured() -> None:
    estimates = Estimates()
    estimates.started(0, 100, [40, 70, 100], 5.0, now=0.0)
    estimates.stepped(40, [1.0] * 40, now=40.0)
    assert estimates.eta_seconds == 60.0 + 3 * 5.0
    estimates.entered(Entered(Phase.VALIDATING), now=40.0)
    assert estimates.progress == JobProgress(Phase.VALIDATING, eta_seconds=5.0)
    assert estimates.eta_seconds == 60.0 + 3 * 5.0
    estimates.entered(Entered(Phase.TRAINING, 40, 100), now=48.0)
    assert estimates.eta_seconds == 60.0 + 2 * 8.0
    assert estimates.progress == JobProgress(Phase.TRAINING, 40, 100, 60.0), "the steps alone"
    estimates.entered(Entered(Phase.SAVING), now=50.0)
    assert (estimates.progress, estimates.eta_seconds) == (JobProgress(Phase.SAVING), None)


def test_a_run_that_goes_on_warms_up_anew() -> None:
    estimates = Estimates()
    estimates.started(50, 100, [100], 5.0, now=0.0)
    estimates.stepped(55, [9.0] * 5, now=45.0)
    estimates.stepped(60, [1.0] * 5, now=50.0)
    assert estimates.eta_seconds == 40.0 + 5.0


def test_an_estimate_follows_a_machine_that_gets_slower() -> None:
    estimates = Estimates()
    estimates.started(0, 1000, [], 0.0, now=0.0)
    estimates.stepped(100, [1.0] * 100, now=100.0)
    estimates.stepped(120, [3.0] * 20, now=160.0)
    assert estimates.eta_seconds == 880 * 3.0


def test_a_phase_that_is_counted_tells_what_it_still_needs() -> None:
    estimates = Estimates()
    for done, now in ((0, 0.0), (4, 60.0), (8, 64.0)):
        estimates.entered(Entered(Phase.CLASS_IMAGES, done, 200, "painting"), now)
    # The first four came with the loading of the pipeline.
    assert estimates.progress == JobProgress(Phase.CLASS_IMAGES, 8, 200, 192.0)
    assert estimates.eta_seconds is None
    estimates.entered(Entered(Phase.DOWNLOADING, 1, 10), now=65.0)
    assert estimates.progress == JobProgress(Phase.DOWNLOADING, 1, 10, None)
