"""A database or an object store that is away, a child that is silent: a job ends well, or with a typed failure."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Engine

from headshots import leases
from headshots.database import read, write
from headshots.errors import UnavailableError
from headshots.leases import Lease
from headshots.schema import CANCELLED, FAILED, RUNNING, SUCCEEDED, training_jobs
from services.trainer.run.messages import Stopped
from services.trainer.workers import outcomes
from tests.support.clocks import BEGINNING, SqliteClock
from tests.support.hanging import full_of_hanging_calls
from tests.support.trainer_world import DONE, WORKING, Trainer, is_over
from tests.support.waiting import until


class Outage:
    """While it lasts the database answers nobody but the test itself."""

    def __init__(self, engine: Engine) -> None:
        self.lasts = False
        self.refused = 0
        event.listen(engine, "begin", self._begin, insert=True)

    def _begin(self, _connection: Any) -> None:
        if self.lasts and threading.current_thread() is not threading.main_thread():
            self.refused += 1
            raise sa.exc.OperationalError("BEGIN", {}, Exception("connection refused"))


def column(trainer: Trainer, name: str, job_id: str = "j") -> Any:
    """One value, read by the test's own thread."""
    with read(trainer.database) as connection:
        return connection.execute(sa.select(training_jobs.c[name]).where(training_jobs.c.id == job_id)).scalar()


def with_clock(trainer: Trainer) -> SqliteClock:
    """The trainer's database with a clock that stands still until it is set."""
    trainer.database.dispose()
    return SqliteClock(trainer.database)


async def test_a_database_that_is_gone_for_a_minute_costs_no_run(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [WORKING], lease_seconds=2.0)
    clock, outage = with_clock(trainer), Outage(trainer.database)
    trainer.engine.begin()
    await trainer.start()
    await trainer.until(lambda job: job.step == 1)
    outage.lasts = True
    # The lease, of two seconds, is over long before the database is back; and the child ends in between.
    clock.set(BEGINNING + 60)
    await until(lambda: outage.refused > 0)
    assert not trainer.children[0].killed
    trainer.children[0].told.set_result(DONE)
    await until(lambda: trainer.children[0].killed)
    before = outage.refused
    await until(lambda: outage.refused > before)
    outage.lasts = False
    job = await trainer.until(is_over)
    assert (job.state, job.attempt, job.adapter) == (SUCCEEDED, 1, DONE.adapter)
    await trainer.engine.drain()
    trainer.database.dispose()


async def test_what_another_took_up_after_an_outage_is_not_written_to(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [WORKING], lease_seconds=2.0)
    clock, outage = with_clock(trainer), Outage(trainer.database)
    trainer.engine.begin()
    await trainer.start()
    await trainer.until(lambda job: job.step == 1)
    outage.lasts = True
    clock.set(BEGINNING + 60)
    trainer.children[0].told.set_result(DONE)
    await until(lambda: trainer.children[0].killed)
    # Another replica's connections are back a moment before ours.
    other = leases.claim(trainer.database, training_jobs, owner="other", ttl_seconds=1e6)
    assert other == Lease("j", 2, "other")
    outage.lasts = False
    # The worker has let go of it once it takes another.
    await trainer.start("next", tenant="other")
    await trainer.until(lambda job: job.state == RUNNING, "next")
    assert (column(trainer, "state"), column(trainer, "attempt"), column(trainer, "adapter")) == (RUNNING, 2, None)
    await trainer.engine.drain()
    trainer.database.dispose()


async def test_an_outage_between_claim_and_run_costs_no_run(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [[*WORKING, DONE]])
    outage = Outage(trainer.database)
    await trainer.start()
    claim = leases.claim

    def and_then_it_is_gone(*args: Any, **values: Any) -> Lease | None:
        lease = claim(*args, **values)
        outage.lasts = lease is not None
        return lease

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leases, "claim", and_then_it_is_gone)
        trainer.engine.begin()
        await until(lambda: outage.refused > 0)
    outage.lasts = False
    job = await trainer.until(is_over)
    assert (job.state, job.attempt) == (SUCCEEDED, 1)
    await trainer.engine.drain()
    trainer.database.dispose()


async def test_a_database_that_hangs_keeps_no_child_from_its_last_checkpoint(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [WORKING], drain_seconds=0.5)
    trainer.engine.begin()
    await trainer.start()
    await trainer.until(lambda job: job.step == 1)
    # While we write, every other write waits: renewing the lease, and then giving it back.
    with write(trainer.database):
        assert not await trainer.engine.drain()
        assert trainer.children[0].told.result() == Stopped(1)
    await until(lambda: all(worker.done() for worker in trainer.engine._workers))
    trainer.database.dispose()


async def test_a_store_that_hangs_keeps_no_lease_from_being_renewed(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [WORKING], lease_seconds=2.0)
    clock = with_clock(trainer)
    trainer.engine.begin()
    await trainer.start()
    await trainer.until(lambda job: job.step == 1)
    async with full_of_hanging_calls():
        for seconds in (1.0, 2.0, 3.0, 4.0):
            clock.set(BEGINNING + seconds)
            await until(lambda now=seconds: column(trainer, "lease_expires_at") > BEGINNING + now + 1.9)  # type: ignore[misc]
    assert (column(trainer, "attempt"), trainer.children[0].killed) == (1, False)
    await trainer.engine.drain()
    trainer.database.dispose()


async def test_a_child_that_says_nothing_for_ever_is_given_up(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [WORKING], stall_seconds=0.2)
    trainer.engine.begin()
    await trainer.start()
    job = await trainer.until(is_over)
    assert (job.state, job.attempt) == (FAILED, 3)
    assert job.failure is not None
    assert job.failure.reason == "TRAINING_STALLED"
    assert "HEADSHOTS_TRAINER_STALL_SECONDS" in job.failure.message
    assert all(child.killed for child in trainer.children)
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
