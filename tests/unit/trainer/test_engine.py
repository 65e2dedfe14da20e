"""The engine: starting, watching and cancelling jobs, and draining."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from headshots import leases
from headshots.database import write
from headshots.errors import AlreadyExistsError, NotFoundError
from headshots.schema import CANCELLED, PENDING, RUNNING, SUCCEEDED, training_jobs
from services.trainer.output.adapter_files import take_prefix
from services.trainer.run.messages import Stopped
from tests.support.trainer.world import DONE, WORKING, Trainer, is_over, opened_trainer
from tests.support.waiting import until


async def test_starting_a_job_again_returns_it_and_another_request_is_refused(tmp_path: Path) -> None:
    async with opened_trainer(tmp_path, [*WORKING, DONE]) as trainer:
        await trainer.start()
        done = await trainer.until(is_over)
        assert await trainer.start() == done
        assert len(trainer.tasks) == 1
        with pytest.raises(AlreadyExistsError, match="JOB_ID_TAKEN"):
            await trainer.start(tenant="other")
        with pytest.raises(NotFoundError, match="JOB_NOT_FOUND"):
            await trainer.engine.get("none")


async def test_a_job_that_another_replica_runs_is_cancelled_there(tmp_path: Path) -> None:
    asked = Trainer(tmp_path, [[DONE]])
    async with opened_trainer(tmp_path, WORKING) as working:
        await working.start()
        await working.until(lambda job: job.step == 1)
        assert (await asked.engine.cancel("j")).state == RUNNING
        # The other replica is not notified: it sees the cancellation when it renews its lease.
        assert (await asked.until(is_over)).state == CANCELLED
        assert working.children[0].killed
        assert asked.tasks == []
    asked.database.dispose()


async def test_trainers_of_another_foundation_leave_a_job_alone(tmp_path: Path) -> None:
    asked = Trainer(tmp_path, [[DONE]])
    await asked.start()
    async with opened_trainer(tmp_path, [*WORKING, DONE], foundation_digest="e" * 64) as other:
        assert (await other.start("k")).queue_position == 0, "it waits behind nobody"
        assert (await other.until(is_over, "k")).state == SUCCEEDED
        assert [task.job_id for task in other.tasks] == ["k"]
        assert (await asked.engine.get("j")).state == PENDING
        asked.engine.begin()
        assert (await asked.until(is_over)).state == SUCCEEDED
        assert (len(asked.tasks), len(other.tasks)) == (1, 1)
        await asked.engine.drain()
    asked.database.dispose()


async def test_a_job_of_before_foundations_were_written_down_is_done(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [[DONE]])
    await trainer.start()
    with write(trainer.database) as connection:
        connection.execute(sa.update(training_jobs).values(foundation_digest=""))
    trainer.engine.begin()
    # Nobody asks for it, which would give it to this trainer's foundation.
    await until(lambda: bool(trainer.tasks))
    await trainer.engine.drain()
    trainer.database.dispose()


async def test_where_the_foundation_was_replaced_the_job_that_is_asked_for_is_done_on_the_new_one(
    tmp_path: Path,
) -> None:
    before = Trainer(tmp_path, [[DONE]])
    await before.start()
    await before.start("running")
    mine = training_jobs.c.id == "running"
    assert leases.claim(before.database, training_jobs, owner="w", ttl_seconds=600.0, where=mine) is not None
    async with opened_trainer(tmp_path, [*WORKING, DONE], foundation_digest="e" * 64) as after:
        assert (await after.until(is_over)).state == SUCCEEDED
        running = await after.until(lambda job: True, "running")
        assert (running.state, len(after.tasks)) == (RUNNING, 1)
    with before.database.connect() as connection:
        found = connection.execute(sa.select(training_jobs.c.id, training_jobs.c.foundation_digest)).all()
        rows = {row.id: row.foundation_digest for row in found}
    assert rows == {"j": "e" * 64, "running": "f" * 64}
    before.database.dispose()


async def test_cancelling_a_waiting_job_is_done_when_the_call_returns(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [[DONE]])
    await trainer.start()
    assert (await trainer.engine.cancel("j")).state == CANCELLED
    # A job that has run before and left artefacts.
    await trainer.start("k")
    with write(trainer.database) as connection:
        connection.execute(sa.update(training_jobs).where(training_jobs.c.id == "k").values(attempt=1))
    take_prefix(trainer.store, "out/a", "k")
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
    # Runs that are handed back may be three times as many as runs that may be lost.
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


async def test_a_database_that_hangs_keeps_no_run_from_its_last_checkpoint(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [WORKING], drain_seconds=0.5)
    trainer.engine.begin()
    await trainer.start()
    await trainer.until(lambda job: job.step == 1)
    # This write blocks all others: renewing the lease, and handing the job back.
    with write(trainer.database):
        assert not await trainer.engine.drain()
        assert trainer.children[0].last_event.result() == Stopped(1)
    await until(lambda: all(worker.done() for worker in trainer.engine._tasks))
    trainer.database.dispose()


async def test_it_says_how_many_trainings_it_runs(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [WORKING])
    trainer.engine.begin()
    assert trainer.engine.running() == 0
    await trainer.start()
    await trainer.until(lambda job: job.step == 1)
    assert trainer.engine.running() == 1
    trainer.children[0].last_event.set_result(DONE)
    await until(lambda: trainer.engine.running() == 0)
    await trainer.engine.drain()
    trainer.database.dispose()


async def test_the_queue_position_is_told_and_changes(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [WORKING])
    trainer.engine.begin()
    await trainer.start("first")
    await trainer.until(lambda job: job.step == 1, "first")
    second, third = await trainer.start("second"), await trainer.start("third")
    other = await trainer.start("other", tenant="other")
    assert (second.queue_position, third.queue_position, other.queue_position) == (0, 1, 0)
    assert (await trainer.engine.get("second")).queue_position == 1
    positions: list[int] = []
    watching = asyncio.create_task(_watch_positions(trainer, "third", positions))
    # First's, other's and second's runs end one after another, each when its end is waited for.
    for number in range(3):
        await until(lambda number=number: positions == [2, 1, 0][: number + 1] and len(trainer.children) == number + 1)
        trainer.children[number].last_event.set_result(DONE)
    await until(lambda: len(trainer.children) == 4)
    trainer.children[3].last_event.set_result(DONE)
    await watching
    assert positions == [2, 1, 0]
    await trainer.engine.drain()
    trainer.database.dispose()


async def _watch_positions(trainer: Trainer, job_id: str, positions: list[int]) -> None:
    """Note each queue position of a job, until it is over."""
    async for job in trainer.engine.watch(job_id):
        if job.queue_position not in positions:
            positions.append(job.queue_position)
