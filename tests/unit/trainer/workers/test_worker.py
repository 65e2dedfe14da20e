"""What becomes of a job, whatever becomes of its runs: workers and engine with a child that a test directs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from headshots import leases
from headshots.database import write
from headshots.errors import AlreadyExistsError, NotFoundError, UnavailableError
from headshots.schema import CANCELLED, FAILED, PENDING, RUNNING, SUCCEEDED, training_jobs
from services.trainer.queue.job import Failure
from services.trainer.run.messages import Failed, Task
from tests.support.trainer_world import (
    ADAPTER,
    DONE,
    KILLED,
    REQUEST,
    SCORES,
    WORKING,
    FakeChild,
    Trainer,
    is_over,
    opened_trainer,
)
from tests.support.waiting import PATIENCE_SECONDS, until


async def test_a_run_that_succeeds(tmp_path: Path) -> None:
    async with opened_trainer(tmp_path, [*WORKING, DONE]) as trainer:
        first = await trainer.start()
        assert (first.state, first.attempt, first.queue_place) == (PENDING, 0, 0)
        job = await trainer.until(is_over)
        assert (job.state, job.adapter, job.curve) == (SUCCEEDED, ADAPTER, ((1, 0.5), (2, 0.25)))
        assert (job.scores, job.likeness) == (SCORES, 0.75)
        assert (job.step, job.total_steps, job.loss, job.eta_seconds) == (2, 2, 0.25, None)
        assert job.started_at is not None
        assert job.ended_at is not None
        assert job.started_at <= job.ended_at
        assert trainer.tasks[0].request == REQUEST
        assert trainer.value("headshots_trainer_jobs", state=RUNNING) == 0
        # Written a moment after the row.
        await until(lambda: trainer.value("headshots_trainer_job_seconds_count", status=SUCCEEDED) == 1)
        assert trainer.value("headshots_trainer_step_seconds_count") == 1


async def test_progress_is_written_while_it_runs(tmp_path: Path) -> None:
    async with opened_trainer(tmp_path, WORKING) as trainer:
        await trainer.start()
        job = await trainer.until(lambda job: job.step == 1)
        assert (job.state, job.total_steps, job.loss, job.curve) == (RUNNING, 2, 0.5, ((1, 0.5),))
        assert trainer.value("headshots_trainer_jobs", state=RUNNING) == 1
        assert job.eta_seconds == pytest.approx(0.1)


async def test_starting_again_answers_the_same_job_and_another_request_is_refused(tmp_path: Path) -> None:
    async with opened_trainer(tmp_path, [*WORKING, DONE]) as trainer:
        await trainer.start()
        done = await trainer.until(is_over)
        assert await trainer.start() == done
        assert len(trainer.tasks) == 1
        with pytest.raises(AlreadyExistsError, match="JOB_ID_TAKEN"):
            await trainer.start(tenant="other")
        with pytest.raises(NotFoundError, match="JOB_NOT_FOUND"):
            await trainer.engine.get("none")


async def test_a_lost_run_is_tried_again(tmp_path: Path) -> None:
    async with opened_trainer(tmp_path, [KILLED], [*WORKING, DONE]) as trainer:
        await trainer.start()
        job = await trainer.until(is_over)
        assert (job.state, job.attempt, job.failure) == (SUCCEEDED, 2, None)


async def test_three_lost_runs_fail_the_job_with_the_last_reason(tmp_path: Path) -> None:
    async with opened_trainer(tmp_path, [KILLED]) as trainer:
        await trainer.start()
        job = await trainer.until(is_over)
        assert (job.state, job.attempt) == (FAILED, 3)
        assert job.failure == Failure("TRAINING_KILLED", "3 runs were lost; the last: killed")


async def test_what_would_fail_again_fails_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    failure = Failure("PHOTO_UNDECODABLE", "no picture")
    async with opened_trainer(tmp_path, [Failed(failure, final=True)]) as trainer:
        await trainer.store.put("out/a/checkpoints/1.safetensors", b"half")
        await trainer.store.put("out/a/adapter.safetensors", b"half")
        await trainer.store.put("out/a/other.txt", b"not ours")
        await trainer.start()
        job = await trainer.until(is_over)
        assert (job.state, job.failure, job.attempt) == (FAILED, failure, 1)
        assert await trainer.store.list("out/a") == ["out/a/other.txt"]
        await until(lambda: trainer.value("headshots_trainer_job_seconds_count", status=FAILED) == 1)


async def test_cancelling_a_running_job_kills_its_child_and_removes_its_artefacts(tmp_path: Path) -> None:
    async with opened_trainer(tmp_path, WORKING) as trainer:
        await trainer.store.put("out/a/checkpoints/1.safetensors", b"half")
        await trainer.start()
        await trainer.until(lambda job: job.step == 1)
        trainer.children[0].may_die.clear()
        assert not (await trainer.engine.cancel("j")).is_over
        trainer.children[0].may_die.set()
        job = await trainer.until(is_over)
        assert job.state == CANCELLED
        assert trainer.children[0].killed
        assert await trainer.store.list("out/a") == []
        # Again is no error, and changes nothing.
        assert (await trainer.engine.cancel("j")).revision == job.revision


async def test_a_job_of_another_replicas_is_cancelled_there(tmp_path: Path) -> None:
    asked = Trainer(tmp_path, [[DONE]])
    async with opened_trainer(tmp_path, WORKING) as working:
        await working.start()
        await working.until(lambda job: job.step == 1)
        assert (await asked.engine.cancel("j")).state == RUNNING
        # Nobody rings at the one that works: it sees the wish when it renews its lease.
        assert (await asked.until(is_over)).state == CANCELLED
        assert working.children[0].killed
        assert asked.tasks == []
    asked.database.dispose()


async def test_cancelling_a_waiting_job_is_done_when_the_call_returns(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [[DONE]])
    await trainer.start()
    assert (await trainer.engine.cancel("j")).state == CANCELLED
    # One that has run before, and left something.
    await trainer.start("k")
    with write(trainer.database) as connection:
        connection.execute(sa.update(training_jobs).where(training_jobs.c.id == "k").values(attempt=1))
    await trainer.store.put("out/a/checkpoints/1.safetensors", b"half")
    assert (await trainer.engine.cancel("k")).state == CANCELLED
    assert await trainer.store.list("out/a") == []
    assert trainer.tasks == []
    trainer.database.dispose()


async def test_draining_hands_the_job_back_and_does_not_count_the_run(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [WORKING])
    trainer.engine.begin()
    await trainer.start()
    await trainer.until(lambda job: job.step == 1)
    assert await trainer.engine.drain()
    job = await trainer.engine.get("j")
    assert (job.state, job.attempt, job.handed_back, job.ended_runs) == (PENDING, 1, 1, 1)
    trainer.database.dispose()
    # Three times as often as runs may be lost: still no failure.
    for attempt in range(2, 10):
        again = Trainer(tmp_path, [WORKING])
        again.engine.begin()
        await again.until(
            lambda job, attempt=attempt: job.state == RUNNING and job.attempt == attempt and job.step == 1
        )  # type: ignore[misc]
        await again.engine.drain()
        again.database.dispose()
    async with opened_trainer(tmp_path, [DONE]) as last:
        assert (await last.until(is_over)).state == SUCCEEDED


async def test_a_child_that_does_not_stop_is_killed_in_time_and_the_job_handed_back(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [WORKING])

    class Deaf(FakeChild):
        async def stop(self) -> None:
            pass

    async def launch(task: Task) -> FakeChild:
        trainer.children.append(Deaf(WORKING))
        return trainer.children[-1]

    object.__setattr__(trainer.engine._place, "launch", launch)
    trainer.engine.begin()
    await trainer.start()
    await trainer.until(lambda job: job.step == 1)
    draining = asyncio.create_task(trainer.engine.drain())
    await until(lambda: trainer.engine._deadline is not None)
    assert not trainer.children[0].killed
    # The time is up.
    trainer.engine._deadline = 0.0
    trainer.engine._place.calls.ring()
    assert await draining
    assert trainer.children[0].killed
    job = await trainer.engine.get("j")
    assert (job.state, job.handed_back) == (PENDING, 1)
    trainer.database.dispose()


async def test_a_lost_workers_job_is_taken_over_and_counted(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [[*WORKING, DONE]])
    await trainer.start()
    dead = leases.claim(trainer.database, training_jobs, owner="dead", ttl_seconds=0.05)
    assert dead is not None
    trainer.engine.begin()
    job = await trainer.until(is_over)
    assert (job.state, job.attempt) == (SUCCEEDED, 2)
    assert trainer.value("headshots_trainer_lease_expired_total") == 1
    with pytest.raises(leases.LeaseLostError):
        leases.update(trainer.database, training_jobs, dead, step=99)
    await trainer.engine.drain()
    trainer.database.dispose()


async def test_a_job_that_costs_every_worker_its_life_is_given_up(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [[DONE]])
    await trainer.start()
    for _ in range(3):
        assert leases.claim(trainer.database, training_jobs, owner="dead", ttl_seconds=-1) is not None
    trainer.engine.begin()
    job = await trainer.until(is_over)
    assert job.state == FAILED
    assert job.failure is not None
    assert job.failure.reason == "TRAINING_LOST"
    assert trainer.tasks == []
    await trainer.engine.drain()
    trainer.database.dispose()


async def test_a_worker_that_lost_its_lease_kills_its_child_and_writes_nothing(tmp_path: Path) -> None:
    async with opened_trainer(tmp_path, WORKING, [DONE]) as trainer:
        await trainer.start()
        await trainer.until(lambda job: job.step == 1)
        with write(trainer.database) as connection:
            connection.execute(
                sa.update(training_jobs).values(attempt=7, lease_owner="other", lease_expires_at=4e9, step=55)
            )
        async with asyncio.timeout(PATIENCE_SECONDS):
            await trainer.children[0].told
        assert trainer.children[0].killed
        job = await trainer.engine.get("j")
        assert (job.attempt, job.step, job.state) == (7, 55, RUNNING)


async def test_while_the_database_is_away_the_child_works_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    away, refused, renew = False, 0, leases.renew

    def flaky(*args: object, **values: object) -> bool:
        nonlocal refused
        if away:
            refused += 1
            raise UnavailableError("DATABASE_UNAVAILABLE", "away")
        return renew(*args, **values)  # type: ignore[arg-type]

    monkeypatch.setattr(leases, "renew", flaky)
    async with opened_trainer(tmp_path, WORKING, lease_seconds=0.2) as trainer:
        await trainer.start()
        await trainer.until(lambda job: job.step == 1)
        away = True
        # Longer than the lease lives.
        await asyncio.sleep(0.3)
        await until(lambda: refused > 1)
        assert not trainer.children[0].killed
        away = False
        trainer.children[0].told.set_result(DONE)
        job = await trainer.until(is_over)
        assert (job.state, job.attempt) == (SUCCEEDED, 1)


async def test_place_in_the_queue_is_told_and_changes(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [WORKING])
    trainer.engine.begin()
    await trainer.start("first")
    await trainer.until(lambda job: job.step == 1, "first")
    second, third = await trainer.start("second"), await trainer.start("third")
    other = await trainer.start("other", tenant="other")
    assert (second.queue_place, third.queue_place, other.queue_place) == (0, 1, 0)
    assert (await trainer.engine.get("second")).queue_place == 1
    places: list[int] = []
    watching = asyncio.create_task(_watch_places(trainer, "third", places))
    # First's, other's and second's runs end one after another, each when its end is waited for.
    for number in range(3):
        await until(lambda number=number: places == [2, 1, 0][: number + 1] and len(trainer.children) == number + 1)
        trainer.children[number].told.set_result(DONE)
    await until(lambda: len(trainer.children) == 4)
    trainer.children[3].told.set_result(DONE)
    await watching
    assert places == [2, 1, 0]
    await trainer.engine.drain()
    trainer.database.dispose()


async def _watch_places(trainer: Trainer, job_id: str, places: list[int]) -> None:
    """Note each place that a job has, until it is over."""
    async for job in trainer.engine.watch(job_id):
        if job.queue_place not in places:
            places.append(job.queue_place)


async def test_those_who_ask_together_read_the_queue_once(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [WORKING], poll_seconds=1e6)
    for number in range(5):
        await trainer.start(f"j{number}")
    looks: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "created_at" in statement and "request" not in statement:
            looks.append(statement)

    sa.event.listen(trainer.database, "before_cursor_execute", listen)
    jobs = await asyncio.gather(*(trainer.engine.get(f"j{number}") for number in range(5)))
    assert [job.queue_place for job in jobs] == [0, 1, 2, 3, 4]
    assert looks == []
    trainer.engine._place.changes.ring()
    await asyncio.gather(*(trainer.engine.get(f"j{number}") for number in range(5)))
    assert len(looks) == 1
    trainer.database.dispose()


async def test_a_defect_costs_a_run_and_not_the_worker(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [[*WORKING, DONE]])
    object.__setattr__(trainer.settings, "lease_seconds", 0.2)
    launch, failures = trainer.launch, iter([OSError("no more processes")])

    async def broken(task: Task) -> FakeChild:
        for failure in failures:
            raise failure
        return await launch(task)

    object.__setattr__(trainer.engine._place, "launch", broken)
    trainer.engine.begin()
    await trainer.start()
    job = await trainer.until(is_over)
    assert (job.state, job.attempt) == (SUCCEEDED, 2)
    await trainer.engine.drain()
    trainer.database.dispose()


async def test_a_worker_that_lost_its_lease_removes_nothing_of_its_successors(tmp_path: Path) -> None:
    async with opened_trainer(tmp_path, WORKING) as trainer:
        await trainer.start()
        await trainer.until(lambda job: job.step == 1)
        await trainer.store.put("out/a/checkpoints/1.safetensors", b"the successor's")
        with write(trainer.database) as connection:
            connection.execute(sa.update(training_jobs).values(attempt=7, lease_owner="other", lease_expires_at=4e9))
        trainer.children[0].told.set_result(Failed(Failure("TRAINING_DIVERGED", "no"), final=True))
        # Once it has come to its end, the worker is free for another job.
        await trainer.start("next", tenant="other")
        await trainer.until(lambda job: job.step == 1, "next")
        assert await trainer.store.list("out/a") == ["out/a/checkpoints/1.safetensors"]
        assert (await trainer.engine.get("j")).state == RUNNING
