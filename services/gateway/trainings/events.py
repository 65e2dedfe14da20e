"""Records every change of a training as a numbered event, so that a watch may go on from any of them. Blocking SQL.

Every change that a caller can see is one event. Its number is the training's revision: 1 is the creation, and each
event's is one more than the one's before. An event keeps the training as it stood but for the curve, which only ever
grows and is cut to the event's step from the row's. Events are kept for a day; the row is the last one for ever.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from headshots.database import database_now
from headshots.errors import InvalidArgumentError
from headshots.schema import TERMINAL_STATES, training_events, trainings
from services.gateway.peers.models import TrainingJob, TrainingRequest
from services.gateway.trainings.models import Training

_KEPT_SECONDS = 24 * 3600.0
# Events read at once; a watch that is further behind reads again.
_BATCH = 200


@dataclass(frozen=True)
class News:
    """Events in order. ``is_all``: the training is over, and nothing comes after these."""

    trainings: list[Training]
    is_all: bool


def to_training(row: Row[Any]) -> Training:
    """A row of `trainings`."""
    return Training(
        id=row.id,
        subject_id=row.subject_id,
        request=TrainingRequest.from_json(row.request),
        job=TrainingJob.from_json(row.job),
        created_at=row.created_at,
        ended_at=row.ended_at,
        note=row.note,
        revision=row.revision,
        sent=row.sent,
        submitted=row.submitted,
        cancel_requested=row.cancel_requested,
    )


def record_first(connection: Connection, training: Training) -> None:
    """The creation of `training`, whose row has just been inserted."""
    _append(connection, training, training.created_at)


def change(
    connection: Connection,
    training: Training,
    *,
    job: TrainingJob | None = None,
    note: str | None = None,
    **unseen: Any,
) -> None:
    """Writes a training that is not over and whose row the caller has locked: an event where a caller can see it.

    ``unseen`` are columns that no caller sees. A terminal `job` ends the training: by our clock, as the newest adapter
    is that of the training which ended last, whichever trainer made it.
    """
    changed = dataclasses.replace(
        training,
        job=training.job if job is None else job,
        note=training.note if note is None else note,
    )
    values = dict(unseen)
    if changed != training:
        now = database_now(connection)
        ended_at = now if changed.job.is_terminal else None
        changed = dataclasses.replace(changed, revision=training.revision + 1, ended_at=ended_at)
        values |= {
            "revision": changed.revision,
            "state": changed.job.state,
            "job": changed.job.to_json(),
            "note": changed.note,
            "ended_at": ended_at,
        }
        _append(connection, changed, now)
        if ended_at is not None:
            connection.execute(sa.delete(training_events).where(training_events.c.created_at < now - _KEPT_SECONDS))
    if values:
        connection.execute(sa.update(trainings).where(trainings.c.id == training.id).values(**values))


def lock(connection: Connection, training_id: str) -> Training | None:
    """A training that is not over, for :func:`change`; None where there is none."""
    row = connection.execute(
        sa.select(trainings)
        .where(trainings.c.id == training_id, trainings.c.state.not_in(TERMINAL_STATES))
        .with_for_update()
    ).first()
    return to_training(row) if row is not None else None


def since(connection: Connection, present: Training, after: int | None) -> News:
    """The events of a training after number `after`, oldest first; without a number the present alone.

    Where the oldest of them are no longer kept, the first that still is: as whole a present as any.

    Raises:
        InvalidArgumentError: AFTER_EVENT_UNKNOWN, for a number that no event has had.
    """
    is_over = present.job.is_terminal
    if after is None:
        return News([present], is_over)
    if after > present.revision:
        raise InvalidArgumentError(
            "AFTER_EVENT_UNKNOWN",
            f"the training has had {present.revision} events and none after {after}; leave after_event away to begin "
            "with the present",
        )
    rows = connection.execute(
        sa.select(training_events)
        .where(
            training_events.c.training_id == present.id,
            training_events.c.number > after,
            training_events.c.number <= present.revision,
        )
        .order_by(training_events.c.number)
        .limit(_BATCH)
    ).all()
    events = [_as_it_stood(present, row) for row in rows]
    if not events and after < present.revision:
        events = [present]
    last = events[-1].revision if events else after
    return News(events, is_over and last == present.revision)


def forget_of_subject(connection: Connection, subject_id: str) -> None:
    """With a subject go the events of its trainings."""
    of_subject = sa.select(trainings.c.id).where(trainings.c.subject_id == subject_id)
    connection.execute(sa.delete(training_events).where(training_events.c.training_id.in_(of_subject)))


def _append(connection: Connection, training: Training, now: float) -> None:
    job = training.job.to_json()
    del job["curve"]
    connection.execute(
        sa.insert(training_events).values(
            training_id=training.id,
            number=training.revision,
            event={"job": job, "note": training.note, "ended_at": training.ended_at},
            created_at=now,
        )
    )


def _as_it_stood(present: Training, row: Row[Any]) -> Training:
    job: dict[str, Any] = row.event["job"]
    curve = [point for point in present.job.curve if point[0] <= job["step"]]
    return dataclasses.replace(
        present,
        job=TrainingJob.from_json({**job, "curve": curve}),
        note=row.event["note"],
        ended_at=row.event["ended_at"],
        revision=row.number,
    )
