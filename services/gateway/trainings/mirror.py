"""Copies what trainers say of their jobs into the rows of trainings, for the reconciler. Blocking SQL.

`sent` and `submitted` tell how far a row came on its way to a trainer.
"""

from __future__ import annotations

import dataclasses

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots.database import database_now, read, write
from headshots.schema import CANCELLED, PENDING, trainings
from services.gateway.peers.models import TrainingJob
from services.gateway.trainings.events import change, lock, to_training
from services.gateway.trainings.models import Training
from services.gateway.trainings.rows import ACTIVE


def active_trainings(engine: Engine) -> list[Training]:
    """All that are not terminal, oldest first."""
    return _select(engine, ACTIVE)


def owed_cancels(engine: Engine) -> list[Training]:
    """Cancelled while no trainer answered, so that one has still to be told, oldest first."""
    return _select(engine, trainings.c.owes_cancel)


def _select(engine: Engine, where: sa.ColumnElement[bool]) -> list[Training]:
    query = sa.select(trainings).where(where).order_by(trainings.c.created_at, trainings.c.id)
    with read(engine) as connection:
        return [to_training(row) for row in connection.execute(query)]


def load(engine: Engine, training_id: str) -> Training | None:
    """One training whoever owns it; None once it is erased."""
    with read(engine) as connection:
        row = connection.execute(sa.select(trainings).where(trainings.c.id == training_id)).first()
        return to_training(row) if row is not None else None


def mark_sent(engine: Engine, training_id: str) -> bool:
    """Before the first word to a trainer; False when it became terminal meanwhile and must not be sent."""
    with write(engine) as connection:
        training = lock(connection, training_id)
        if training is not None:
            change(connection, training, sent=True)
        return training is not None


def mark_unsubmitted(engine: Engine, training_id: str) -> None:
    """The trainer does not know the job: it has to be sent again, and its revisions begin anew."""
    with write(engine) as connection:
        if (training := lock(connection, training_id)) is not None:
            change(connection, training, job=TrainingJob(state=PENDING), submitted=False)


def set_note(engine: Engine, training_id: str, note: str) -> None:
    """What holds it up, for people."""
    with write(engine) as connection:
        if (training := lock(connection, training_id)) is not None:
            change(connection, training, note=note)


def record_job(engine: Engine, training_id: str, job: TrainingJob) -> Training | None:
    """Mirrors the trainer's job. News that are older than what is known, or come after the end, change nothing."""
    with write(engine) as connection:
        training = lock(connection, training_id)
        if training is not None and job.revision >= training.job.revision:
            change(connection, training, job=job, note="", submitted=True)
        row = connection.execute(sa.select(trainings).where(trainings.c.id == training_id)).first()
        return to_training(row) if row is not None else None


def end_without_trainer(engine: Engine, training_id: str, *, patience_seconds: float) -> bool:
    """Cancels a training whose caller has waited so long for a trainer to confirm it; whether that was the case.

    A trainer may still work on it, so one is told as soon as it answers, and the subject cannot be deleted before.
    """
    with write(engine) as connection:
        long_ago = database_now(connection) - patience_seconds
        waits = sa.and_(trainings.c.id == training_id, trainings.c.cancel_requested_at <= long_ago)
        training = lock(connection, training_id)
        if training is None or connection.execute(sa.select(trainings.c.id).where(waits)).first() is None:
            return False
        job = dataclasses.replace(training.job, state=CANCELLED)
        change(connection, training, job=job, note="", owes_cancel=True)
        return True


def settle_cancel(engine: Engine, training_id: str) -> None:
    """A trainer has been told by now."""
    with write(engine) as connection:
        connection.execute(sa.update(trainings).where(trainings.c.id == training_id).values(owes_cancel=False))
