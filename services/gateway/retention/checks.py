"""Tells by the database's clock whether a subject's time has come, whether or not a sweep has run. Blocking SQL."""

from __future__ import annotations

import functools
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headshots.database import now_expression
from headshots.errors import FailedPreconditionError
from headshots.schema import retentions
from services.gateway.api.names import subject_name


def is_due(dialect: str) -> sa.ColumnElement[bool]:
    """The condition on which a row of `retentions` tells that the subject's time has come."""
    # In a query of its own the clock is read once. PostgreSQL would else read it for each row, and search no index.
    now = sa.select(now_expression(dialect)).scalar_subquery()
    return sa.and_(retentions.c.held_at.is_(None), retentions.c.expires_at <= now)


def is_expired(subject_id: sa.ColumnElement[str], dialect: str) -> sa.ColumnElement[bool]:
    """The same for rows with this column. A subject without a row has expired until `rows.begin_missing` finds it."""
    kept = sa.or_(retentions.c.held_at.is_not(None), retentions.c.expires_at > now_expression(dialect))
    # A row of its own, also in a query that has the table beside others.
    return sa.not_(sa.exists().where(retentions.c.id == subject_id, kept).correlate_except(retentions))


def check_unexpired(connection: Connection, subject_id: str) -> None:
    """Returns where the subject's time has not come.

    Raises:
        FailedPreconditionError: SUBJECT_EXPIRED.
    """
    if connection.execute(_asking(connection.dialect.name), {"subject_id": subject_id}).scalar_one():
        raise subject_expired(connection, subject_id)


@functools.cache
def _asking(dialect: str) -> sa.Select[tuple[bool]]:
    # As often as shots are claimed: made once.
    return sa.select(is_expired(sa.bindparam("subject_id", type_=sa.String), dialect))


def subject_expired(connection: Connection, subject_id: str) -> FailedPreconditionError:
    """The error of every call for a subject whose time has come."""
    name = subject_name(subject_id)
    expires_at = connection.execute(sa.select(retentions.c.expires_at).where(retentions.c.id == subject_id)).scalar()
    at = f" at {datetime.fromtimestamp(expires_at, UTC):%Y-%m-%d %H:%M:%S} UTC" if expires_at is not None else ""
    return FailedPreconditionError(
        "SUBJECT_EXPIRED",
        f"{name} expired{at} and is being erased; make a new subject, and next time call ExtendRetention or "
        "HoldSubject before `expire_time`",
        metadata={"name": name},
    )
