"""Trainings whose worker is killed at 20 random points give what an undisturbed one gives; and other hardships."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from headshots.database import write
from headshots.schema import FAILED, SUCCEEDED
from tests.support.chaos import Kill, draw_plan
from tests.support.lives import PATIENCE_SECONDS, STEPS, Life, Outcome, make_foundation

# Four trainings with five kills each: every new run imports torch, which takes seconds.
SEEDS, KILLS = range(4), 5


@pytest.fixture(scope="module")
def foundation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_foundation(tmp_path_factory.mktemp("chaos") / "foundation")


@pytest.fixture(scope="module")
def undisturbed(foundation: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    life = Life(tmp_path_factory.mktemp("calm"), foundation)
    job = life.live([])
    life.close()
    assert (job.state, job.attempt, life.services) == (SUCCEEDED, 1, 1)
    return Outcome.of(life, job)


@pytest.fixture
def life(foundation: Path, tmp_path: Path) -> Iterator[Life]:
    life = Life(tmp_path, foundation)
    yield life
    life.close()


@pytest.fixture
def short_life(foundation: Path, tmp_path: Path) -> Iterator[Life]:
    """Two runs may be lost."""
    life = Life(tmp_path, foundation, max_attempts=2)
    yield life
    life.close()


def test_the_plans_kill_every_victim_at_20_points() -> None:
    plans = [draw_plan(seed, kills=KILLS, steps=STEPS) for seed in SEEDS]
    assert sum(map(len, plans)) == 20
    assert {kill.victim for plan in plans for kill in plan} == {"child", "service", "both"}
    assert {kill.when for plan in plans for kill in plan} == {"before", "after"}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_training_killed_at_random_points_ends_as_an_undisturbed_one(
    seed: int, life: Life, undisturbed: Outcome
) -> None:
    kills = draw_plan(seed, kills=KILLS, steps=STEPS)
    job = life.live(kills)
    assert job.state == SUCCEEDED, job.last_failure
    assert life.plan.happened() == KILLS
    # No kill costs more than its run. Two may cost one: until a killed service is gone its child works on.
    assert 1 < job.attempt <= KILLS + 1
    assert 1 < life.services <= 1 + sum(kill.victim != "child" for kill in kills)
    Outcome.of(life, job).must_equal(undisturbed)


def test_while_the_disk_is_full_a_training_goes_on_without_checkpoints(life: Life, undisturbed: Outcome) -> None:
    job = life.live([Kill("00000003.safetensors", "before", "disk")])
    assert (job.state, job.attempt, life.plan.happened()) == (SUCCEEDED, 1, 1)
    Outcome.of(life, job).must_equal(undisturbed)


def test_a_result_that_finds_no_room_costs_a_run(life: Life, undisturbed: Outcome) -> None:
    job = life.live([Kill("adapter.safetensors", "before", "disk")])
    assert (job.state, job.attempt, life.plan.happened()) == (SUCCEEDED, 2, 1)
    Outcome.of(life, job).must_equal(undisturbed)


@pytest.mark.parametrize(
    ("name", "victim", "reason", "cure"),
    [
        ("adapter.safetensors", "disk", "OBJECT_STORE_FULL", "make some"),
        ("00000002.safetensors", "memory", "TRAINING_OUT_OF_MEMORY", "fewer batch_rows"),
        ("00000002.safetensors", "child", "TRAINING_KILLED", "fewer batch_rows"),
    ],
)
def test_what_happens_in_every_run_fails_the_training_after_bounded_ones(
    name: str, victim: str, reason: str, cure: str, short_life: Life
) -> None:
    job = short_life.live([Kill(name, "before", victim, always=True)])
    assert (job.state, job.attempt, short_life.services) == (FAILED, 2, 1)
    assert job.failure is not None
    assert job.failure.reason == reason
    assert cure in job.failure.message
    assert short_life.objects() == []


def test_a_trainer_is_gone_in_time_even_where_the_database_hangs(
    foundation: Path, tmp_path: Path, undisturbed: Outcome
) -> None:
    life = Life(tmp_path, foundation, drain_seconds=1)
    life.begin([Kill("00000002.safetensors", "after", "hold")])
    process = life.start()
    life.wait(lambda _: life.plan.happened() == 1)
    # While we write nobody else can, and the end does not wait for us to be done.
    with write(life.database):
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
    job = life.until(lambda job: job.is_over)
    assert (job.state, job.attempt) == (SUCCEEDED, 2)
    Outcome.of(life, job).must_equal(undisturbed)
    life.close()
