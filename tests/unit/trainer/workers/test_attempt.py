"""One attempt: progress, renewal of the lease, silence, a stop that is ignored, and databases and stores that fail."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import leases
from headshots.database import now_expression, write
from headshots.errors import UnavailableError
from headshots.leases import Lease
from headshots.schema import FAILED, PENDING, RUNNING, SUCCEEDED, training_jobs
from services.trainer.progress.phases import Entered, JobProgress, Phase
from services.trainer.queue.job import Failure
from services.trainer.run.messages import Failed, Progress, Started, Task, decode_event, encode
from tests.support.clocks import BEGINNING
from tests.support.trainer.hanging import full_of_hanging_calls
from tests.support.trainer.outages import column, with_clock
from tests.support.trainer.world import DONE, WORKING, FakeChild, Trainer, is_over, opened_trainer
from tests.support.waiting import PATIENCE_SECONDS, until


async def test_progress_is_written_while_it_runs(tmp_path: Path) -> None:
    async with opened_trainer(tmp_path, WORKING) as trainer:
        await trainer.start()
        job = await trainer.until(lambda job: job.step == 1)
        assert (job.state, job.total_steps, job.loss, job.curve) == (RUNNING, 2, 0.5, ((1, 0.5),))
        assert trainer.value("headshots_trainer_jobs", state=RUNNING) == 1
        # The first step warms up: nothing is said of the time before the second.
        assert job.eta_seconds is None


async def test_what_a_run_does_before_its_first_step_is_told_until_that(tmp_path: Path) -> None:
    painting = Entered(Phase.CLASS_IMAGES, 4, 200, "painting other people, 4 of 200")
    async with opened_trainer(tmp_path, [painting]) as trainer:
        await trainer.start()
        job = await trainer.until(lambda job: bool(job.phase_message))
        assert (job.state, job.phase_message, job.total_steps) == (RUNNING, painting.message, 0)
        assert decode_event(encode(painting)) == painting
    async with opened_trainer(tmp_path / "begun", [painting, *WORKING]) as trainer:
        await trainer.start()
        assert (await trainer.until(lambda job: job.step == 1)).phase_message == ""


async def test_a_run_that_ends_while_it_prepares_leaves_nothing_told(tmp_path: Path) -> None:
    failed = Failed(Failure("NO_FACE", "no photo shows a face"), final=True)
    async with opened_trainer(tmp_path, [Entered(Phase.CLASS_IMAGES, message="painting"), failed]) as trainer:
        await trainer.start()
        job = await trainer.until(is_over)
        assert (job.state, job.phase_message, job.progress) == (FAILED, "", None)
    async with opened_trainer(tmp_path / "cancelled", [Entered(Phase.CLASS_IMAGES, message="painting")]) as trainer:
        await trainer.start()
        await trainer.until(lambda job: job.phase_message == "painting")
        await trainer.engine.cancel("j")
        job = await trainer.until(is_over)
        assert (job.phase_message, job.progress) == ("", None)


async def test_the_time_left_is_that_of_usual_steps(tmp_path: Path) -> None:
    warm = Progress(5, 0.5, [9.0, 8.0, 7.0, 7.0, 7.0], [(1, 0.5)])
    usual = Progress(10, 0.4, [0.1, 0.1, 0.3, 0.1, 0.1], [(5, 0.4)])
    script = [Started(0, 20, [], [15, 20], 3.0), warm, usual]
    async with opened_trainer(tmp_path, script) as trainer:
        await trainer.start()
        job = await trainer.until(lambda job: job.step == 10)
        assert job.eta_seconds == pytest.approx(10 * 0.1 + 2 * 0.3)
        assert job.progress == JobProgress(Phase.TRAINING, 10, 20, pytest.approx(1.0))


async def test_what_it_does_is_told_with_its_numbers(tmp_path: Path) -> None:
    reading = Entered(Phase.DOWNLOADING, 3, 10)
    async with opened_trainer(tmp_path, [reading, *WORKING, Entered(Phase.SAVING)]) as trainer:
        await trainer.start()
        job = await trainer.until(lambda job: job.progress is not None and job.progress.phase is Phase.SAVING)
        assert (job.progress, job.step) == (JobProgress(Phase.SAVING), 1)
    assert decode_event(encode(reading)) == reading
    async with opened_trainer(tmp_path / "prepares", [reading]) as trainer:
        await trainer.start()
        job = await trainer.until(lambda job: job.progress is not None)
        assert job.progress == JobProgress(Phase.DOWNLOADING, 3, 10, None)


async def test_a_process_that_does_not_stop_is_killed_in_time_and_its_job_handed_back(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [WORKING])

    class Deaf(FakeChild):
        async def stop(self) -> None:
            pass

    async def launch(task: Task) -> FakeChild:
        trainer.children.append(Deaf(WORKING))
        return trainer.children[-1]

    object.__setattr__(trainer.engine._context, "launch", launch)
    trainer.engine.begin()
    await trainer.start()
    await trainer.until(lambda job: job.step == 1)
    draining = asyncio.create_task(trainer.engine.drain())
    await until(lambda: trainer.engine._deadline is not None)
    assert not trainer.children[0].killed
    # The deadline passes.
    trainer.engine._deadline = 0.0
    trainer.engine._context.worker_wakeup.notify()
    assert await draining
    assert trainer.children[0].killed
    job = await trainer.engine.get("j")
    assert (job.state, job.handed_back) == (PENDING, 1)
    trainer.database.dispose()


async def test_a_worker_that_lost_its_lease_kills_its_process_and_writes_nothing(tmp_path: Path) -> None:
    async with opened_trainer(tmp_path, WORKING, [DONE]) as trainer:
        await trainer.start()
        await trainer.until(lambda job: job.step == 1)
        with write(trainer.database) as connection:
            connection.execute(
                sa.update(training_jobs).values(
                    attempt=7, lease_owner="other", lease_expires_at=now_expression("sqlite") + 1_800.0, step=55
                )
            )
        async with asyncio.timeout(PATIENCE_SECONDS):
            await trainer.children[0].last_event
        assert trainer.children[0].killed
        job = await trainer.engine.get("j")
        assert (job.attempt, job.step, job.state) == (7, 55, RUNNING)


async def test_progress_of_a_run_that_lost_its_lease_a_moment_ago_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease is lost after its renewal and before the progress is written, so only that write can tell."""
    renew, update = leases.renew, leases.update
    writes: list[dict[str, Any]] = []

    def and_then_another_claims_it(engine: Engine, table: sa.Table, lease: Lease, *, ttl_seconds: float) -> bool:
        cancel = renew(engine, table, lease, ttl_seconds=ttl_seconds)
        with write(engine) as connection:
            connection.execute(sa.update(table).values(lease_expires_at=0.0))
        assert leases.claim(engine, table, owner="other", ttl_seconds=1_800.0) == Lease("j", 2, "other")
        return cancel

    def noted(engine: Engine, table: sa.Table, lease: Lease, **values: Any) -> None:
        writes.append(values)
        update(engine, table, lease, **values)

    async with opened_trainer(tmp_path, WORKING) as trainer:
        monkeypatch.setattr(leases, "renew", and_then_another_claims_it)
        monkeypatch.setattr(leases, "update", noted)
        await trainer.start()
        await until(lambda: bool(trainer.children) and trainer.children[0].killed)
        job = await trainer.engine.get("j")
        assert [values["step"] for values in writes if "step" in values] == [1], "there was progress to write"
        assert (job.attempt, job.step, job.loss, job.curve) == (2, 0, 0.0, ())


async def test_the_process_continues_while_the_database_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
        trainer.children[0].last_event.set_result(DONE)
        job = await trainer.until(is_over)
        assert (job.state, job.attempt) == (SUCCEEDED, 1)


async def test_a_store_that_hangs_does_not_stop_lease_renewal(tmp_path: Path) -> None:
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


async def test_a_process_that_sends_nothing_is_killed_and_its_run_is_lost(tmp_path: Path) -> None:
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
