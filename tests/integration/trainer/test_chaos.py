"""Trainings that are killed at random points give the result of an undisturbed one; and other failures.

The first of five seeded plans runs always, the others with `make test ARGS="-m slow"`.
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

# Plans by seed and number of kills. Every new run imports torch, diffusers and peft, which takes seconds: the first
# plan has as few as it takes for every victim, before and after, at a checkpoint and at the result.
ALWAYS, SLOW = [(26, 3)], [(2, 5), (0, 5), (1, 5), (3, 5)]


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
    assert sum(kills for _, kills in SLOW) == 20
    for some in (ALWAYS, SLOW):
        plans = [draw_plan(seed, kills=kills, steps=STEPS) for seed, kills in some]
        assert {kill.victim for plan in plans for kill in plan} == {"child", "service", "both"}
        assert {kill.when for plan in plans for kill in plan} == {"before", "after"}
        assert {kill.name[0].isdigit() for plan in plans for kill in plan} == {True, False}


@pytest.mark.parametrize(("seed", "count"), [*ALWAYS, *(pytest.param(*plan, marks=pytest.mark.slow) for plan in SLOW)])
def test_a_training_killed_at_random_points_has_the_result_of_an_undisturbed_one(
    seed: int, count: int, training: SupervisedTraining, undisturbed: Result
) -> None:
    kills = draw_plan(seed, kills=count, steps=STEPS)
    job = training.run_to_end(kills)
    assert job.state == SUCCEEDED, job.last_failure
    assert training.plan.happened() == count
    # A kill costs at most one run. Two kills may cost the same run: a child process lives until its service is gone.
    assert 1 < job.attempt <= count + 1
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
        ("adapter.safetensors", "disk", 1, "OBJECT_STORE_FULL", "make some"),
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
