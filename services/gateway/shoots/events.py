"""Records every change of a shoot as a numbered event of `events.log`. Blocking SQL."""

from __future__ import annotations

import dataclasses
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from headshots.database import database_now
from headshots.schema import TERMINAL_STATES, shoot_events, shoots
from services.gateway.api.labels import Labelling
from services.gateway.api.names import shoot_name
from services.gateway.api.requests import IdempotencyKey
from services.gateway.audit.models import Action
from services.gateway.audit.recording import record
from services.gateway.events.log import EventBatch, EventLog
from services.gateway.peers.models import Failure
from services.gateway.shoots.models import Plan, Progress, Shoot
from services.gateway.shoots.quote import Quote

_LOG = EventLog(shoot_events, shoot_events.c.shoot_id, "shoot")


def to_shoot(row: Row[Any]) -> Shoot:
    """A shoot from its row."""
    return Shoot(
        id=row.id,
        subject_id=row.subject_id,
        tenant_id=row.tenant_id,
        state=row.state,
        plan=Plan.from_json(row.plan),
        training_id=row.training_id,
        trains=row.trains,
        quote=Quote.from_json(row.quote),
        created_at=row.created_at,
        gallery_id=row.gallery_id,
        progress=Progress.from_json(row.progress),
        deadline=row.deadline,
        ended_at=row.ended_at,
        failure=Failure(row.failure_reason, row.failure_message) if row.failure_reason else None,
        status_message=row.note,
        revision=row.revision,
        cancel_requested=row.cancel_requested,
        labelling=Labelling.of_row(row),
    )


def insert(connection: Connection, shoot: Shoot, key: IdempotencyKey) -> None:
    """Inserts a new shoot and records its first event."""
    connection.execute(
        sa.insert(shoots).values(
            id=shoot.id,
            subject_id=shoot.subject_id,
            tenant_id=shoot.tenant_id,
            plan=shoot.plan.to_json(),
            training_id=shoot.training_id,
            trains=shoot.trains,
            quote=shoot.quote.to_json(),
            deadline=shoot.deadline,
            created_at=shoot.created_at,
            **shoot.labelling.fields,
            **_columns(shoot),
            **key.columns,
        )
    )
    _append(connection, shoot, shoot.created_at)
    name = shoot_name(shoot.subject_id, shoot.id)
    record(connection, shoot.tenant_id, shoot.subject_id, Action.SHOOT_CREATED, name)


def record_change(connection: Connection, before: Shoot, after: Shoot) -> Shoot | None:
    """Updates a shoot that :func:`lock_active` returned and records the event; None where nothing has changed.

    One in a terminal state ends now.
    """
    if after == before:
        return None
    now = database_now(connection)
    ended_at = now if after.is_terminal else None
    after = dataclasses.replace(after, revision=before.revision + 1, ended_at=ended_at)
    connection.execute(sa.update(shoots).where(shoots.c.id == after.id).values(**_columns(after)))
    _append(connection, after, now)
    if ended_at is not None:
        _LOG.forget_old(connection, now)
    return after


def lock_active(connection: Connection, shoot_id: str) -> Shoot | None:
    """Locks and reads a shoot that has not ended; None where it has ended or does not exist."""
    active = sa.and_(shoots.c.id == shoot_id, shoots.c.state.not_in(TERMINAL_STATES))
    row = connection.execute(sa.select(shoots).where(active).with_for_update()).first()
    return to_shoot(row) if row is not None else None


def events_after(connection: Connection, current: Shoot, after: int | None) -> EventBatch[Shoot]:
    """The events of a shoot after number `after`, see `EventLog.after`.

    Raises:
        InvalidArgumentError: AFTER_EVENT_UNKNOWN, there is no event with this number yet.
    """
    return _LOG.after(
        connection,
        current.id,
        current,
        after,
        has_ended=current.is_terminal,
        read=lambda row: _from_event(current, row),
    )


def images_at(connection: Connection, shoot_id: str, number: int) -> tuple[int, ...]:
    """Numbers of the shots that had ended with an image at an event; none where the event is no longer kept."""
    event = connection.execute(
        sa.select(shoot_events.c.event).where(shoot_events.c.shoot_id == shoot_id, shoot_events.c.number == number)
    ).scalar()
    return () if event is None else Progress.from_json(event["progress"]).images


def delete_events_of_subject(connection: Connection, subject_id: str) -> None:
    """Removes the events of an erased subject's shoots."""
    _LOG.delete(connection, sa.select(shoots.c.id).where(shoots.c.subject_id == subject_id))


def _columns(shoot: Shoot) -> dict[str, Any]:
    """The columns that change."""
    return {
        "state": shoot.state,
        "revision": shoot.revision,
        "cancel_requested": shoot.cancel_requested,
        "gallery_id": shoot.gallery_id,
        "progress": shoot.progress.to_json(),
        "note": shoot.status_message,
        "failure_reason": shoot.failure.reason if shoot.failure is not None else None,
        "failure_message": shoot.failure.message if shoot.failure is not None else None,
        "ended_at": shoot.ended_at,
    }


_IN_EVENTS = ("state", "gallery_id", "progress", "note", "failure_reason", "failure_message", "ended_at")


def _append(connection: Connection, shoot: Shoot, now: float) -> None:
    columns = _columns(shoot)
    _LOG.append(connection, shoot.id, shoot.revision, {name: columns[name] for name in _IN_EVENTS}, now)


def _from_event(current: Shoot, row: Row[Any]) -> Shoot:
    event: dict[str, Any] = row.event
    reason, message = event["failure_reason"], event["failure_message"]
    return dataclasses.replace(
        current,
        state=event["state"],
        gallery_id=event["gallery_id"],
        progress=Progress.from_json(event["progress"]),
        status_message=event["note"],
        failure=Failure(reason, message) if reason else None,
        ended_at=event["ended_at"],
        revision=row.number,
    )
