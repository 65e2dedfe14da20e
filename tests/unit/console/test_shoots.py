"""How a shoot ended is told in words."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

from rich.console import Console

from headshots.client.convert.shoots import shoot as to_shoot
from headshots.client.convert.trainings import training as to_training
from headshots.console.following import training_detail
from headshots.console.shoots import ShootBars, next_step, turnaround_line
from headshots.console.terminal.bars import Bars
from headshots.v1 import galleries_pb2, jobs_pb2, shoots_pb2, trainings_pb2


def test_a_shoot_that_was_late_says_so() -> None:
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    shoot = shoots_pb2.Shoot(state=jobs_pb2.JOB_STATE_SUCCEEDED, stage=shoots_pb2.SHOOT_STAGE_ENDED)
    shoot.create_time.FromDatetime(begun)
    shoot.end_time.FromDatetime(begun + timedelta(minutes=5))
    shoot.deadline.FromDatetime(begun + timedelta(minutes=3))
    assert turnaround_line(to_shoot(shoot)).startswith("took 5 min, 2 min after the deadline")


def test_the_bar_of_a_training_says_what_takes_long_before_its_first_step() -> None:
    running = jobs_pb2.JOB_STATE_RUNNING
    message = "painting other people, 4 of 200; later trainings share the pictures"
    shoot = shoots_pb2.Shoot(trains=True, state=running, training_phase_message=message)
    shoot.stage = shoots_pb2.SHOOT_STAGE_TRAINING
    written = io.StringIO()
    bars = Bars(console := Console(width=80, force_terminal=True, file=written))
    ShootBars(bars, to_shoot(shoot))
    console.print(bars.get_renderable())
    assert "painting other people, 4 of 200" in written.getvalue(), "the numbers are seen in 80 columns"
    training = trainings_pb2.Training(state=running, attempt=1, phase_message=message)
    assert training_detail(to_training(training)) == message


def _told(phase: str, **more: int) -> trainings_pb2.Training:
    training = trainings_pb2.Training(state=jobs_pb2.JOB_STATE_RUNNING, attempt=1)
    training.progress.CopyFrom(trainings_pb2.TrainingProgress(phase=f"TRAINING_PHASE_{phase}", **more))
    return training


def test_every_phase_of_a_training_is_told_in_words_with_the_time_that_is_known() -> None:
    assert training_detail(to_training(_told("DOWNLOADING", done=3, total=10))) == "reading photos 3/10"
    told = _told("CLASS_IMAGES", done=4, total=200)
    told.phase_message = "painting other people, 4 of 200"
    told.progress.phase_eta.FromSeconds(90)
    assert training_detail(to_training(told)) == "painting other people, 4 of 200, 90 s left of this"
    told = _told("TRAINING", done=40, total=400)
    told.step, told.loss = 40, 0.25
    told.eta.FromMilliseconds(61_400)
    assert training_detail(to_training(told)) == "loss 0.2500, 61 s left"
    told.ClearField("progress")
    told.ClearField("eta")
    assert training_detail(to_training(told)) == "loss 0.2500", "of one that has ended, or whose trainer does not tell"
    for name, number in trainings_pb2.TrainingPhase.items():
        words = training_detail(to_training(_told(name.removeprefix("TRAINING_PHASE_"))))
        assert bool(words) == (number != trainings_pb2.TRAINING_PHASE_TRAINING), "the bar says that by itself"


def test_the_bar_of_a_shoots_training_says_its_phase_and_the_time_left() -> None:
    shoot = shoots_pb2.Shoot(trains=True, state=jobs_pb2.JOB_STATE_RUNNING, stage=shoots_pb2.SHOOT_STAGE_TRAINING)
    shoot.training_progress.phase = trainings_pb2.TRAINING_PHASE_VALIDATING
    shoot.training_eta.FromSeconds(12)
    written = io.StringIO()
    bars = Bars(console := Console(width=80, force_terminal=True, file=written))
    ShootBars(bars, to_shoot(shoot))
    console.print(bars.get_renderable())
    assert "judging portraits, 12 s left" in written.getvalue()


def test_why_tries_were_not_made_is_told_in_place_of_what_to_try() -> None:
    failure = jobs_pb2.Failure(reason="CONSENT_EXPIRED", message="it ended")
    shoot = shoots_pb2.Shoot(state=jobs_pb2.JOB_STATE_SUCCEEDED, stage=shoots_pb2.SHOOT_STAGE_ENDED)
    shoot.guarantee = galleries_pb2.GUARANTEE_NOT_MET
    assert "--max-tries" in next_step(to_shoot(shoot), [])
    shoot.failure.CopyFrom(failure)
    assert next_step(to_shoot(shoot), []) == "not all tries were made: CONSENT_EXPIRED: it ended"
