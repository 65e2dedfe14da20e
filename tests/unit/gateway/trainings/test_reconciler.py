"""A trainer that does not answer holds up neither cancellations of others nor what is to be started."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sqlalchemy.engine import Engine

from headshots.schema import CANCELLED, RUNNING
from services.gateway.api.requests import IdempotencyKey
from services.gateway.events.hub import Hub
from services.gateway.peers.models import TrainingJob, TrainingOptions, TrainingRequest
from services.gateway.retention.waiting import WorkClock
from services.gateway.trainings import mirror
from services.gateway.trainings.creating import create_training
from services.gateway.trainings.reconciler import Reconciler
from services.gateway.trainings.rows import request_cancel
from tests.support.gateway.shoot_rows import new_subject
from tests.support.waiting import until


class FrozenTrainer:
    """A `Trainer` whose jobs run and whose cancellations are answered once `awake` is set."""

    def __init__(self) -> None:
        self.awake = asyncio.Event()
        self.started: list[str] = []
        self.asked: list[str] = []

    async def start(self, request: TrainingRequest) -> TrainingJob:
        self.started.append(request.job_id)
        return TrainingJob(RUNNING, revision=1)

    async def watch(self, job_id: str) -> AsyncIterator[TrainingJob]:
        yield TrainingJob(RUNNING, revision=1)
        await self.awake.wait()

    async def cancel(self, job_id: str) -> TrainingJob:
        self.asked.append(job_id)
        await self.awake.wait()
        return TrainingJob(CANCELLED, revision=2)


def ordered(engine: Engine) -> tuple[str, str]:
    """Ids of a new subject and of its training."""
    subject = new_subject(engine)
    how = {"priority": 1, "key": IdempotencyKey(), "validate_only": False}
    return subject, create_training(engine, "acme", subject, options=TrainingOptions(), **how).id  # type: ignore[arg-type]


async def test_all_cancellations_are_sent_at_once_and_beside_what_is_started(engine: Engine) -> None:
    trainer = FrozenTrainer()
    clock = WorkClock(engine)
    reconciler = Reconciler(
        engine, lambda pool, digest: trainer, Hub(), clock, poll_seconds=0.01, cancel_patience_seconds=3600.0
    )
    running = asyncio.create_task(reconciler.run())
    try:
        cancelled = [ordered(engine) for _ in range(2)]
        await until(lambda: all(_submitted(engine, training) for _, training in cancelled))
        for subject, training in cancelled:
            request_cancel(engine, "acme", subject, training)
        await until(lambda: len(trainer.asked) >= 2)
        assert sorted(trainer.asked) == sorted(training for _, training in cancelled), "each is asked once"
        _, another = ordered(engine)
        await until(lambda: another in trainer.started)
        trainer.awake.set()
        await until(lambda: [each.id for each in mirror.active_trainings(engine)] == [another])
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _submitted(engine: Engine, training_id: str) -> bool:
    training = mirror.load(engine, training_id)
    return training is not None and training.submitted
