"""Copies trainers' jobs into the rows of trainings, for the reconciler. Blocking SQL.

Three columns tell what trainers know of a training. `sent`: its job was sent at least once. `submitted`: a trainer has
confirmed the job. `owes_cancel`: the training was ended here, so a trainer that has the job has still to be told.
"""

from __future__ import annotations

import dataclasses

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.database import database_now, read, write
from headshots.errors import FailedPreconditionError
from headshots.schema import CANCELLED, FAILED, PENDING, trainings
from services.gateway.consents.checks import check_consent, lacks_consent
from services.gateway.consents.models import Purpose
from services.gateway.peers.models import Failure, TrainingJob
from services.gateway.retention.checks import check_unexpired, is_expired
from services.gateway.retention.waiting import BY_CLOCK, MESSAGE
from services.gateway.trainings.events import lock_active, record_change, to_training
from services.gateway.trainings.models import Training
from services.gateway.trainings.rows import ACTIVE


def active_trainings(engine: Engine) -> list[Training]:
    """All trainings that have not ended, oldest first."""
    return _select(engine, ACTIVE)


def end_withheld(engine: Engine) -> list[str]:
    """Ends the trainings that wait although the person does not agree any more, or is not kept any more; their ids.

    A running one goes on.
    """
    with read(engine) as connection:
        dialect = connection.dialect.name
        withheld = lacks_consent(trainings.c.tenant_id, trainings.c.subject_id, Purpose.TRAINING, dialect=dialect)
        expired = is_expired(trainings.c.subject_id, dialect)
        query = sa.select(trainings.c.id).where(trainings.c.state == PENDING, sa.or_(withheld, expired))
        ids = connection.execute(query).scalars().all()
    ended = []
    for training_id in ids:
        with write(engine) as connection:
            training = lock_active(connection, training_id)
            if training is not None and _ended_withheld(connection, training, by_clock=True):
                ended.append(training_id)
    return ended


def _ended_withheld(connection: Connection, training: Training, by_clock: bool) -> bool:
    """Fails a locked training that waits, where the person does not agree or is not kept any more; whether that is so.

    Without `by_clock` one that only a time keeps from it waits, and says so.
    """
    if training.job.state != PENDING:
        return False
    try:
        check_unexpired(connection, training.subject_id)
        check_consent(connection, training.request.tenant, training.subject_id, Purpose.TRAINING)
    except FailedPreconditionError as error:
        if error.reason in BY_CLOCK and not by_clock:
            record_change(connection, training, status_message=MESSAGE)
            return True
        job = dataclasses.replace(training.job, state=FAILED, failure=Failure(error.reason, error.message))
        # Once sent, a trainer may have it in its queue.
        record_change(connection, training, job=job, status_message="", owes_cancel=training.sent)
        return True
    return False


def undelivered_cancels(engine: Engine) -> list[Training]:
    """Ended trainings of which a trainer has still to be told, oldest first."""
    return _select(engine, trainings.c.owes_cancel)


def _select(engine: Engine, where: sa.ColumnElement[bool]) -> list[Training]:
    query = sa.select(trainings).where(where).order_by(trainings.c.created_at, trainings.c.id)
    with read(engine) as connection:
        return [to_training(row) for row in connection.execute(query)]


def load(engine: Engine, training_id: str) -> Training | None:
    """One training of whichever tenant; None where it is erased."""
    with read(engine) as connection:
        row = connection.execute(sa.select(trainings).where(trainings.c.id == training_id)).first()
        return to_training(row) if row is not None else None


def mark_sent(engine: Engine, training_id: str, *, by_clock: bool = True) -> bool:
    """Records that the job is about to be sent; False where the training must not be sent.

    Where the person does not agree or is not kept any more, it ends now, or without `by_clock` goes on waiting.
    """
    with write(engine) as connection:
        training = lock_active(connection, training_id)
        if training is None or _ended_withheld(connection, training, by_clock):
            return False
        record_change(connection, training, sent=True)
        return True


def mark_unsubmitted(engine: Engine, training_id: str) -> None:
    """Records that the trainer does not know the job: it is sent again, and the trainer's revisions restart."""
    with write(engine) as connection:
        if (training := lock_active(connection, training_id)) is not None:
            record_change(connection, training, job=TrainingJob(state=PENDING), submitted=False)


def set_status_message(engine: Engine, training_id: str, message: str) -> None:
    """Records what holds the training up, for people."""
    with write(engine) as connection:
        if (training := lock_active(connection, training_id)) is not None:
            record_change(connection, training, status_message=message)


def record_job(engine: Engine, training_id: str, job: TrainingJob) -> Training | None:
    """Copies the trainer's job; a job older than the row's, or one that comes after the end, changes nothing.

    Returns the training as it is then; None where it is erased.
    """
    with write(engine) as connection:
        training = lock_active(connection, training_id)
        if training is not None and job.revision >= training.job.revision:
            record_change(connection, training, job=job, status_message="", submitted=True)
        row = connection.execute(sa.select(trainings).where(trainings.c.id == training_id)).first()
        return to_training(row) if row is not None else None


def end_without_trainer(engine: Engine, training_id: str, *, patience_seconds: float) -> bool:
    """Ends a training whose cancellation no trainer has confirmed for `patience_seconds`; whether it did.

    A trainer may still work on it. So one is told as soon as it answers, and the subject cannot be deleted before.
    """
    with write(engine) as connection:
        requested_before = database_now(connection) - patience_seconds
        overdue = sa.and_(trainings.c.id == training_id, trainings.c.cancel_requested_at <= requested_before)
        training = lock_active(connection, training_id)
        if training is None or connection.execute(sa.select(trainings.c.id).where(overdue)).first() is None:
            return False
        job = dataclasses.replace(training.job, state=CANCELLED)
        record_change(connection, training, job=job, status_message="", owes_cancel=True)
        return True


def mark_cancel_delivered(engine: Engine, training_id: str) -> None:
    """Records that a trainer has been told of the cancellation."""
    with write(engine) as connection:
        connection.execute(sa.update(trainings).where(trainings.c.id == training_id).values(owes_cancel=False))
