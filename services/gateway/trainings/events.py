"""Records every change of a training as a numbered event of `events.log`. Blocking SQL.

An event holds the training without its curve: the curve only grows, so it is cut from the row's to the event's step.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from headshots.database import database_now
from headshots.schema import SUCCEEDED, TERMINAL_STATES, training_events, trainings
from services.gateway.api.labels import Labelling
from services.gateway.api.names import training_name
from services.gateway.audit.models import Action
from services.gateway.audit.recording import record
from services.gateway.erasures.commitments import commit
from services.gateway.erasures.models import StoreClass
from services.gateway.events.log import EventBatch, EventLog
from services.gateway.peers.models import TrainingJob, TrainingRequest
from services.gateway.peers.stored_files import StoredFile
from services.gateway.photos.removing import begin_times
from services.gateway.retention.terms import Part, begin_from
from services.gateway.trainings.models import Training

_LOG = EventLog(training_events, training_events.c.training_id, "training")


def to_training(row: Row[Any]) -> Training:
    """A training from its row."""
    return Training(
        id=row.id,
        subject_id=row.subject_id,
        request=TrainingRequest.from_json(row.request),
        job=TrainingJob.from_json(row.job),
        created_at=row.created_at,
        ended_at=row.ended_at,
        status_message=row.note,
        revision=row.revision,
        sent=row.sent,
        submitted=row.submitted,
        cancel_requested=row.cancel_requested,
        pool=row.pool,
        foundation_digest=row.foundation_digest,
        labelling=Labelling.of_row(row),
        adapter_expires_at=row.adapter_expires_at,
        origin=row.origin,
    )


def record_creation(connection: Connection, training: Training) -> None:
    """Records the first event of a training whose row has just been inserted."""
    _append(connection, training, training.created_at)


def record_change(
    connection: Connection,
    training: Training,
    *,
    job: TrainingJob | None = None,
    status_message: str | None = None,
    **internal: Any,
) -> None:
    """Updates a training that :func:`lock_active` returned, and records an event where a caller can see the change.

    `internal` are columns that no caller sees. A terminal `job` ends the training. Its end is the time of our database,
    not the trainer's: a subject's newest adapter is that of the training which ended last, whichever trainer made it.
    """
    changed = dataclasses.replace(
        training,
        job=training.job if job is None else job,
        status_message=training.status_message if status_message is None else status_message,
    )
    values = dict(internal)
    if changed != training:
        now = database_now(connection)
        ended_at = now if changed.job.is_terminal else None
        changed = dataclasses.replace(changed, revision=training.revision + 1, ended_at=ended_at)
        values |= {
            "revision": changed.revision,
            "state": changed.job.state,
            "job": changed.job.to_json(),
            "note": changed.status_message,
            "ended_at": ended_at,
        }
        _append(connection, changed, now)
        if ended_at is not None:
            _LOG.forget_old(connection, now)
        if changed.job.state == SUCCEEDED:
            values["adapter_expires_at"] = _deliver(connection, training, now)
    if values:
        connection.execute(sa.update(trainings).where(trainings.c.id == training.id).values(**values))
    if job is not None and (adapter := job.adapter) is not None:
        for file in (StoredFile(adapter.key, adapter.sha256, adapter.size_bytes), *job.others):
            commit(connection, training.subject_id, StoreClass.ADAPTERS, file.key, file.sha256, file.size_bytes)


def _deliver(connection: Connection, training: Training, now: float) -> float | None:
    """Records that an adapter is delivered, which lets its photos go; until when it is kept, None: as its subject."""
    name = training_name(training.subject_id, training.id)
    record(connection, training.request.tenant, training.subject_id, Action.TRAINED, name)
    begin_times(connection, training.subject_id, anew=True)
    return begin_from(connection, Part.ADAPTER, training.subject_id, training.id, now)


def lock_active(connection: Connection, training_id: str) -> Training | None:
    """Locks and reads a training that has not ended; None where it has ended or does not exist."""
    row = connection.execute(
        sa.select(trainings)
        .where(trainings.c.id == training_id, trainings.c.state.not_in(TERMINAL_STATES))
        .with_for_update()
    ).first()
    return to_training(row) if row is not None else None


def events_after(connection: Connection, current: Training, after: int | None) -> EventBatch[Training]:
    """The events of a training after number `after`, see `EventLog.after`.

    Raises:
        InvalidArgumentError: AFTER_EVENT_UNKNOWN, there is no event with this number yet.
    """
    has_ended = current.job.is_terminal
    return _LOG.after(
        connection, current.id, current, after, has_ended=has_ended, read=lambda row: _from_event(current, row)
    )


def delete_events_of_subject(connection: Connection, subject_id: str) -> None:
    """Removes the events of an erased subject's trainings."""
    _LOG.delete(connection, sa.select(trainings.c.id).where(trainings.c.subject_id == subject_id))


def _append(connection: Connection, training: Training, now: float) -> None:
    job = training.job.to_json()
    del job["curve"]
    event = {"job": job, "note": training.status_message, "ended_at": training.ended_at}
    _LOG.append(connection, training.id, training.revision, event, now)


def _from_event(current: Training, row: Row[Any]) -> Training:
    job: dict[str, Any] = row.event["job"]
    curve = [point for point in current.job.curve if point[0] <= job["step"]]
    return dataclasses.replace(
        current,
        job=TrainingJob.from_json({**job, "curve": curve}),
        status_message=row.event["note"],
        ended_at=row.event["ended_at"],
        revision=row.number,
    )
