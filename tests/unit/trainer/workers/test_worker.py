"""The worker: it claims jobs, runs lost ones again, and survives its own errors."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from headshots import leases
from headshots.leases import Lease
from headshots.schema import FAILED, PENDING, RUNNING, SUCCEEDED, training_jobs
from services.trainer.metrics import VERDICTS
from services.trainer.run.messages import Task
from services.trainer.selection.scores import TrainingScores
from tests.support.trainer.outages import Outage
from tests.support.trainer.world import (
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
from tests.support.waiting import until

VERDICTS_TOTAL = "headshots_trainer_verdicts_total"


async def test_a_successful_run_is_recorded(tmp_path: Path) -> None:
    async with opened_trainer(tmp_path, [*WORKING, DONE]) as trainer:
        first = await trainer.start()
        assert (first.state, first.attempt, first.queue_position) == (PENDING, 0, 0)
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
        told = {verdict: trainer.value(VERDICTS_TOTAL, foundation="f" * 12, verdict=verdict) for verdict in VERDICTS}
        assert told == {"passed": 1, "not_passed": 0, "not_measured": 0}
        assert trainer.value("headshots_trainer_likeness_sum", foundation="f" * 12) == 0.75


@pytest.mark.parametrize(
    ("scores", "verdict"),
    [
        (dataclasses.replace(SCORES, passed=False), "not_passed"),
        (dataclasses.replace(SCORES, passed=False, analyzer="", checkpoints=()), "not_measured"),
    ],
)
async def test_a_result_is_counted_by_what_its_scores_say(tmp_path: Path, scores: TrainingScores, verdict: str) -> None:
    async with opened_trainer(tmp_path, [*WORKING, dataclasses.replace(DONE, scores=scores)]) as trainer:
        await trainer.start()
        await until(lambda: trainer.value(VERDICTS_TOTAL, foundation="f" * 12, verdict=verdict) == 1)
        measured = trainer.value("headshots_trainer_likeness_count", foundation="f" * 12)
        assert measured == (verdict != "not_measured")


async def test_a_lost_run_is_repeated(tmp_path: Path) -> None:
    async with opened_trainer(tmp_path, [KILLED], [*WORKING, DONE]) as trainer:
        await trainer.start()
        job = await trainer.until(is_over)
        assert (job.state, job.attempt, job.failure) == (SUCCEEDED, 2, None)


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


async def test_a_job_whose_workers_are_all_lost_fails(tmp_path: Path) -> None:
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


async def test_an_unexpected_error_costs_a_run_and_not_the_worker(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [[*WORKING, DONE]])
    object.__setattr__(trainer.settings, "lease_seconds", 0.2)
    launch, failures = trainer.launch, iter([OSError("no more processes")])

    async def broken(task: Task) -> FakeChild:
        for failure in failures:
            raise failure
        return await launch(task)

    object.__setattr__(trainer.engine._context, "launch", broken)
    trainer.engine.begin()
    await trainer.start()
    job = await trainer.until(is_over)
    assert (job.state, job.attempt) == (SUCCEEDED, 2)
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
