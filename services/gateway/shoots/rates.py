"""Quotes orders from what recent work took, and from what waits and runs. Blocking SQL; `quote` computes."""

from __future__ import annotations

import dataclasses
import datetime
import statistics
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from headshots.database import database_now
from headshots.errors import FailedPreconditionError, FieldViolation, InvalidArgumentError
from headshots.schema import PENDING, RUNNING, SUCCEEDED, galleries, shots, trainings
from services.gateway.retention.rows import retention_of
from services.gateway.shoots.models import ShootOrder
from services.gateway.shoots.quote import Measured, Queue, Quote, Rates, quote

_RECENT = 30
"""The newest of each kind that are read; those of another foundation among them are left out."""


def read_rates(connection: Connection, foundation_digest: str | None) -> Rates:
    """What the newest trainings and galleries took; None takes those of any foundation."""
    rows = _recent_trainings(connection, foundation_digest)
    # Told steps say nothing of what the trainer takes by itself.
    steps = [row.job["total_steps"] for row in rows if row.request["options"].get("steps") is None]
    measured, tries = _recent_galleries(connection, foundation_digest)
    trained = tuple(
        Measured(row.job["total_steps"], row.job["started_at"], row.job["ended_at"])
        for row in rows
        if None not in (row.job["started_at"], row.job["ended_at"])
    )
    return Rates(trained, measured, round(statistics.median(steps)) if steps else 0, tries)


def _recent_trainings(connection: Connection, foundation_digest: str | None) -> list[Row[Any]]:
    query: sa.Select[Any] = (
        sa.select(trainings.c.job, trainings.c.request)
        .where(trainings.c.state == SUCCEEDED)
        .order_by(trainings.c.ended_at.desc())
        .limit(_RECENT)
    )
    return [row for row in connection.execute(query) if _is_of(row.job["adapter"], foundation_digest)]


def _recent_galleries(
    connection: Connection, foundation_digest: str | None
) -> tuple[tuple[Measured, ...], tuple[float, ...]]:
    newest = (
        sa.select(galleries)
        .where(galleries.c.state == SUCCEEDED, galleries.c.started_at.is_not(None))
        .order_by(galleries.c.ended_at.desc())
        .limit(_RECENT)
    )
    rows = [row for row in connection.execute(newest) if _is_of(row.adapter, foundation_digest)]
    counted = connection.execute(
        sa.select(shots.c.gallery_id, sa.func.count().label("shots"), sa.func.sum(shots.c.tries).label("tries"))
        .where(shots.c.gallery_id.in_([row.id for row in rows]))
        .group_by(shots.c.gallery_id)
    )
    counts = {row.gallery_id: (int(row.shots), int(row.tries)) for row in counted}
    # Galleries of before tries were counted have none.
    rows = [row for row in rows if counts[row.id][1]]
    measured = tuple(Measured(counts[row.id][1], row.started_at, row.ended_at) for row in rows)
    return measured, tuple(counts[row.id][1] / counts[row.id][0] for row in rows if row.max_tries > 1)


def _is_of(adapter: Mapping[str, Any] | None, foundation_digest: str | None) -> bool:
    """Of an adapter that was removed it is not known."""
    return foundation_digest is None or (adapter is not None and adapter["foundation_digest"] == foundation_digest)


def read_queue(connection: Connection, pool: str, foundation_digest: str | None) -> Queue:
    """What waits and runs now for the trainers and generators of a pool, of all tenants.

    Trainers and generators are their foundation's (docs/decisions/0039); the pool's by name are trainings of before it
    had told its foundation. Where that is not known, they are the pool's by name alone, and the shots those of all.
    """
    work = (PENDING, RUNNING)
    active = connection.execute(
        sa.select(trainings.c.state, trainings.c.job).where(
            trainings.c.state.in_(work), _is_trained_by(pool, foundation_digest)
        )
    ).all()
    painted = galleries.c.foundation_digest == foundation_digest if foundation_digest is not None else sa.true()
    counted = connection.execute(
        sa.select(shots.c.state, sa.func.count())
        .select_from(shots.join(galleries, galleries.c.id == shots.c.gallery_id))
        .where(shots.c.state.in_(work), painted)
        .group_by(shots.c.state)
    )
    waiting = {row[0]: int(row[1]) for row in counted}
    return Queue(
        waiting_trainings=sum(row.state == PENDING for row in active),
        running_trainings=tuple(row.job["eta_seconds"] for row in active if row.state == RUNNING),
        waiting_shots=waiting.get(PENDING, 0),
        running_shots=waiting.get(RUNNING, 0),
    )


def _is_trained_by(pool: str, foundation_digest: str | None) -> sa.ColumnElement[bool]:
    if foundation_digest is None:
        return trainings.c.pool == pool
    told = trainings.c.foundation_digest
    return sa.or_(told == foundation_digest, sa.and_(told == "", trainings.c.pool == pool))


def check_deadline_ahead(connection: Connection, order: ShootOrder) -> None:
    """Returns where the order's deadline is still to come.

    Raises:
        InvalidArgumentError: DEADLINE_PASSED.
    """
    if order.deadline is not None and order.deadline <= database_now(connection):
        raise InvalidArgumentError(
            "DEADLINE_PASSED",
            f"the deadline {_utc(order.deadline)} has passed; name a later one, or none",
            violations=[FieldViolation("deadline", "must be in the future")],
        )


def quote_order(
    connection: Connection, subject_id: str, order: ShootOrder, *, trains: bool, foundation: str | None, pool: str
) -> Quote:
    """What the order of a subject will take on the foundation of this digest; `trains`: whether a training comes first,
    by trainers of this pool.

    Raises:
        FailedPreconditionError: DEADLINE_TOO_EARLY, half of such shoots would miss it.
    """
    queue = read_queue(connection, pool, foundation)
    estimate = quote(
        read_rates(connection, foundation),
        dataclasses.replace(
            queue,
            waiting_trainings=queue.waiting_trainings + order.trainings_ahead,
            waiting_shots=queue.waiting_shots + order.images_ahead,
        ),
        trains=trains,
        asked=order.count,
        max_tries=order.max_tries,
        now=database_now(connection),
    )
    if order.deadline is not None and estimate.expected_at is not None and estimate.expected_at > order.deadline:
        assert estimate.latest_at is not None
        expected, latest = _utc(estimate.expected_at), _utc(estimate.latest_at)
        raise FailedPreconditionError(
            "DEADLINE_TOO_EARLY",
            f"half of such shoots would be finished at {expected}, nine of ten at {latest}: name a deadline after "
            "these, or order fewer portraits",
            violations=[FieldViolation("deadline", f"at {expected} or later")],
            metadata={"expected_finish_time": expected, "latest_finish_time": latest},
        )
    return dataclasses.replace(estimate, beyond_expiry=_is_beyond_expiry(connection, subject_id, estimate))


def _is_beyond_expiry(connection: Connection, subject_id: str, estimate: Quote) -> bool:
    kept = retention_of(connection, subject_id)
    if kept is None or kept.hold is not None or estimate.expected_at is None:
        return False
    return estimate.expected_at > kept.expires_at


def _utc(seconds: float) -> str:
    """RFC 3339, to the second."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
