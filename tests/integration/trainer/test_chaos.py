"""Trainings that are killed at random points give the result of an undisturbed one; and other failures.

The first of four seeded plans runs always, the others with `make test ARGS="-m slow"`.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from headshots.database import write
from headshots.schema import FAILED, SUCCEEDED
from tests.support.foundations.trained_quickly import make_foundation
from tests.support.trainer.chaos import Kill, draw_plan
from tests.support.trainer.supervised import STEPS, TIMEOUT_SECONDS, Result, SupervisedTraining

# Trainings with five kills each: every new run imports torch, diffusers and peft, which takes seconds. The first plan
# has every victim, and kills at checkpoints and at the result.
SEEDS, KILLS = (2, 0, 1, 3), 5
ALWAYS = SEEDS[:1]


@pytest.fixture(scope="module")
def foundation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_foundation(tmp_path_factory.mktemp("chaos") / "foundation")


@pytest.fixture(scope="module")
def undisturbed(foundation: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    training = SupervisedTraining(tmp_path_factory.mktemp("calm"), foundation)
    job = training.run_to_end([])
    training.close()
    assert (job.state, job.attempt, training.trainers_started) == (SUCCEEDED, 1, 1)
    return Result.of(training, job)


@pytest.fixture
def training(foundation: Path, tmp_path: Path) -> Iterator[SupervisedTraining]:
    training = SupervisedTraining(tmp_path, foundation)
    yield training
    training.close()


def test_the_plans_have_20_kills_of_every_victim_before_and_after() -> None:
    plans = [draw_plan(seed, kills=KILLS, steps=STEPS) for seed in SEEDS]
    assert sum(map(len, plans)) == 20
    for some in (plans, plans[: len(ALWAYS)]):
        assert {kill.victim for plan in some for kill in plan} == {"child", "service", "both"}
        assert {kill.when for plan in some for kill in plan} == {"before", "after"}
        assert {kill.name[0].isdigit() for plan in some for kill in plan} == {True, False}


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[] if seed in ALWAYS else [pytest.mark.slow]) for seed in SEEDS]
)
def test_a_training_killed_at_random_points_has_the_result_of_an_undisturbed_one(
    seed: int, training: SupervisedTraining, undisturbed: Result
) -> None:
    kills = draw_plan(seed, kills=KILLS, steps=STEPS)
    job = training.run_to_end(kills)
    assert job.state == SUCCEEDED, job.last_failure
    assert training.plan.happened() == KILLS
    # A kill costs at most one run. Two kills may cost the same run: a child process lives until its service is gone.
    assert 1 < job.attempt <= KILLS + 1
    assert 1 < training.trainers_started <= 1 + sum(kill.victim != "child" for kill in kills)
    Result.of(training, job).must_equal(undisturbed)


def test_a_training_continues_without_checkpoints_while_the_disk_is_full(
    training: SupervisedTraining, undisturbed: Result
) -> None:
    job = training.run_to_end([Kill("00000003.safetensors", "before", "disk")])
    assert (job.state, job.attempt, training.plan.happened()) == (SUCCEEDED, 1, 1)
    Result.of(training, job).must_equal(undisturbed)


def test_a_full_disk_for_the_result_costs_one_run(training: SupervisedTraining, undisturbed: Result) -> None:
    job = training.run_to_end([Kill("adapter.safetensors", "before", "disk")])
    assert (job.state, job.attempt, training.plan.happened()) == (SUCCEEDED, 2, 1)
    Result.of(training, job).must_equal(undisturbed)


@pytest.mark.parametrize(
    ("name", "victim", "attempts", "reason", "cure"),
    [
        ("adapter.safetensors", "disk", 2, "OBJECT_STORE_FULL", "make some"),
        ("00000002.safetensors", "memory", 1, "TRAINING_OUT_OF_MEMORY", "fewer batch_rows"),
        ("00000002.safetensors", "child", 1, "TRAINING_KILLED", "fewer batch_rows"),
    ],
)
def test_a_failure_in_every_run_fails_the_training_after_the_allowed_attempts(
    name: str, victim: str, attempts: int, reason: str, cure: str, foundation: Path, tmp_path: Path
) -> None:
    training = SupervisedTraining(tmp_path, foundation, max_attempts=attempts)
    job = training.run_to_end([Kill(name, "before", victim, always=True)])
    assert (job.state, job.attempt, training.trainers_started) == (FAILED, attempts, 1)
    assert job.failure is not None
    assert job.failure.reason == reason
    assert cure in job.failure.message
    assert training.objects() == []
    training.close()


def test_a_trainer_ends_in_time_although_the_database_hangs(
    foundation: Path, tmp_path: Path, undisturbed: Result
) -> None:
    training = SupervisedTraining(tmp_path, foundation, drain_seconds=1)
    training.queue([Kill("00000002.safetensors", "after", "hold")])
    process = training.start()
    training.wait(lambda _: training.plan.happened() == 1)
    # This write blocks all others: the trainer must not wait for it.
    with write(training.database):
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT_SECONDS) == 0
    job = training.until(lambda job: job.is_over)
    assert (job.state, job.attempt) == (SUCCEEDED, 2)
    Result.of(training, job).must_equal(undisturbed)
    training.close()
