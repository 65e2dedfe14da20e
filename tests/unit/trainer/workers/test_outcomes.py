"""The outcomes of runs: success, failure, cancellation and erasure, also while the database or the store is away."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from headshots import leases
from headshots.database import now_expression, write
from headshots.errors import UnavailableError
from headshots.leases import Lease
from headshots.schema import CANCELLED, FAILED, RUNNING, SUCCEEDED, training_jobs
from services.trainer.output.adapter_files import take_prefix
from services.trainer.queue.job import Failure
from services.trainer.run.messages import Failed
from services.trainer.workers import outcomes
from tests.support.clocks import BEGINNING
from tests.support.trainer.outages import Outage, column, with_clock
from tests.support.trainer.world import DONE, KILLED, WORKING, Trainer, is_over, opened_trainer
from tests.support.waiting import until


async def test_three_lost_runs_fail_the_job_with_the_last_reason(tmp_path: Path) -> None:
    async with opened_trainer(tmp_path, [KILLED]) as trainer:
        await trainer.start()
        job = await trainer.until(is_over)
        assert (job.state, job.attempt) == (FAILED, 3)
        assert job.failure == Failure("TRAINING_KILLED", "3 runs were lost; the last: killed")


async def test_a_final_failure_fails_the_job_at_once_and_removes_its_artefacts(tmp_path: Path) -> None:
    failure = Failure("PHOTO_UNDECODABLE", "not an image")
    async with opened_trainer(tmp_path, [Failed(failure, final=True)]) as trainer:
        take_prefix(trainer.store, "out/a", "j")
        await trainer.store.put("out/a/checkpoints/1.safetensors", b"half")
        await trainer.store.put("out/a/adapter.safetensors", b"half")
        await trainer.store.put("out/a/other.txt", b"not ours")
        await trainer.start()
        job = await trainer.until(is_over)
        assert (job.state, job.failure, job.attempt) == (FAILED, failure, 1)
        assert await trainer.store.list("out/a") == ["out/a/other.txt"]
        await until(lambda: trainer.value("headshots_trainer_job_seconds_count", status=FAILED) == 1)


async def test_cancelling_a_running_job_kills_its_process_and_removes_its_artefacts(tmp_path: Path) -> None:
    async with opened_trainer(tmp_path, WORKING) as trainer:
        take_prefix(trainer.store, "out/a", "j")
        await trainer.store.put("out/a/checkpoints/1.safetensors", b"half")
        await trainer.start()
        await trainer.until(lambda job: job.step == 1)
        trainer.children[0].may_end.clear()
        assert not (await trainer.engine.cancel("j")).is_over
        trainer.children[0].may_end.set()
        job = await trainer.until(is_over)
        assert job.state == CANCELLED
        assert trainer.children[0].killed
        assert await trainer.store.list("out/a") == []
        # Cancelling again is no error and changes nothing.
        assert (await trainer.engine.cancel("j")).revision == job.revision


async def test_a_worker_that_lost_its_lease_removes_no_files(tmp_path: Path) -> None:
    async with opened_trainer(tmp_path, WORKING) as trainer:
        await trainer.start()
        await trainer.until(lambda job: job.step == 1)
        # The prefix is the job's, whichever worker has it.
        take_prefix(trainer.store, "out/a", "j")
        await trainer.store.put("out/a/checkpoints/1.safetensors", b"the successor's")
        with write(trainer.database) as connection:
            connection.execute(
                sa.update(training_jobs).values(
                    attempt=7, lease_owner="other", lease_expires_at=now_expression("sqlite") + 1_800.0
                )
            )
        trainer.children[0].last_event.set_result(Failed(Failure("TRAINING_DIVERGED", "no"), final=True))
        # When the first run has ended, the worker takes another job.
        await trainer.start("next", tenant="other")
        await trainer.until(lambda job: job.step == 1, "next")
        assert await trainer.store.list("out/a") == ["out/a/checkpoints/1.safetensors", "out/a/job-id"]
        assert (await trainer.engine.get("j")).state == RUNNING


async def test_a_database_that_is_unavailable_for_a_minute_costs_no_run(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [WORKING], lease_seconds=2.0)
    clock, outage = with_clock(trainer), Outage(trainer.database)
    trainer.engine.begin()
    await trainer.start()
    await trainer.until(lambda job: job.step == 1)
    outage.lasts = True
    # The lease of two seconds runs out long before the database is back, and the process ends in between.
    clock.set(BEGINNING + 60)
    await until(lambda: outage.refused > 0)
    assert not trainer.children[0].killed
    trainer.children[0].last_event.set_result(DONE)
    await until(lambda: trainer.children[0].killed)
    before = outage.refused
    await until(lambda: outage.refused > before)
    outage.lasts = False
    job = await trainer.until(is_over)
    assert (job.state, job.attempt, job.adapter) == (SUCCEEDED, 1, DONE.adapter)
    await trainer.engine.drain()
    trainer.database.dispose()


async def test_a_job_that_another_worker_claimed_after_an_outage_is_not_written(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [WORKING], lease_seconds=2.0)
    clock, outage = with_clock(trainer), Outage(trainer.database)
    trainer.engine.begin()
    await trainer.start()
    await trainer.until(lambda job: job.step == 1)
    outage.lasts = True
    clock.set(BEGINNING + 60)
    trainer.children[0].last_event.set_result(DONE)
    await until(lambda: trainer.children[0].killed)
    # Another replica reaches the database a moment earlier.
    other = leases.claim(trainer.database, training_jobs, owner="other", ttl_seconds=1_800.0)
    assert other == Lease("j", 2, "other")
    outage.lasts = False
    # When the worker takes another job, it has released this one.
    await trainer.start("next", tenant="other")
    await trainer.until(lambda job: job.state == RUNNING, "next")
    assert (column(trainer, "state"), column(trainer, "attempt"), column(trainer, "adapter")) == (RUNNING, 2, None)
    await trainer.engine.drain()
    trainer.database.dispose()


@pytest.mark.parametrize("comes_back", [True, False])
async def test_a_cancelled_job_whose_artefacts_cannot_be_removed_ends_in_bounded_tries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, comes_back: bool
) -> None:
    monkeypatch.setattr(outcomes, "CLEANING_TRIES", 3)
    tries = 0

    def away(*_: object) -> None:
        nonlocal tries
        tries += 1
        if column(trainer, "cleanings") < 1 or not comes_back:
            raise UnavailableError("OBJECT_STORE_UNAVAILABLE", "away")

    monkeypatch.setattr(outcomes, "remove_artefacts", away)
    trainer = Trainer(tmp_path, [WORKING], lease_seconds=0.2)
    trainer.engine.begin()
    await trainer.start()
    await trainer.until(lambda job: job.step == 1)
    await trainer.engine.cancel("j")
    job = await trainer.until(is_over)
    if comes_back:
        assert (job.state, job.failure) == (CANCELLED, None)
    else:
        assert job.state == FAILED
        assert job.failure is not None
        assert job.failure.reason == "ARTEFACTS_REMAIN"
        assert "deleting the subject removes them" in job.failure.message
    assert tries >= 2
    assert len(trainer.children) == 1
    await trainer.engine.drain()
    trainer.database.dispose()


async def test_no_try_to_remove_artefacts_waits_longer_than_a_pause_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A longer one would be taken for one of a clock that was ahead, and be none."""

    def away(*_: object, **__: object) -> None:
        raise UnavailableError("OBJECT_STORE_UNAVAILABLE", "away")

    monkeypatch.setattr(outcomes, "with_retries", away)
    trainer = Trainer(tmp_path, [WORKING], lease_seconds=600.0)
    await trainer.start()
    with write(trainer.database) as connection:
        connection.execute(sa.update(training_jobs).values(cleanings=4))
    trainer.engine.begin()
    await trainer.until(lambda job: job.step == 1)
    await trainer.engine.cancel("j")
    await until(lambda: column(trainer, "cleanings") > 4)
    assert column(trainer, "not_before") <= time.time() + leases.LONGEST_SECONDS / 2
    await trainer.engine.drain()
    trainer.database.dispose()


async def test_files_written_after_an_erasure_are_removed(tmp_path: Path) -> None:
    async with opened_trainer(tmp_path, WORKING) as trainer:
        await trainer.start()
        await trainer.until(lambda job: job.step == 1)
        await trainer.store.put("out/b/adapter.safetensors", b"another training's")
        # Written after the erasure has listed the prefix.
        await trainer.store.put("out/a/checkpoints/00000002.safetensors", b"late")
        await trainer.store.put("out/a/sheet.jpg", b"late")
        with write(trainer.database) as connection:
            connection.execute(sa.delete(training_jobs))
        await until(lambda: trainer.store.list_sync("out") == ["out/b/adapter.safetensors"])
        assert trainer.children[0].killed
        # The worker takes the next job.
        await trainer.start("next")
        await trainer.until(lambda job: job.step == 1, "next")
