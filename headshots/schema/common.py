"""Defines what tables of several services have in common: names of constraints, states, columns of several tables."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Float, Integer, String

from headshots.telemetry.origins import current_origin

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# The states of a leased row; JobState of the protos in lower case.
PENDING, RUNNING, SUCCEEDED, FAILED, CANCELLED = "pending", "running", "succeeded", "failed", "cancelled"
TERMINAL_STATES = (SUCCEEDED, FAILED, CANCELLED)
# Priority of the protos, as the rows have it.
HIGH_PRIORITY = 2
# The pool of trainers and generators that every gateway has.
MAIN_POOL = "main"
# `tenants.high_weight` of a tenant that has no right to high priority.
NO_HIGH_WEIGHT = 1
# How many of a tenant's trainings and shots of high priority may wait or run at a time, where a grant names no number.
DEFAULT_HIGH_LIMIT = 64
# How long subjects are kept after their last delivery, where nobody says otherwise: 30 days.
DEFAULT_RETENTION_SECONDS = 30 * 86400
# The shortest and the longest time that a policy may say: an hour and 400 days.
MIN_RETENTION_SECONDS, MAX_RETENTION_SECONDS = 3600, 400 * 86400


def lease_columns() -> list[Column[object]]:
    """What makes a row claimable work; see :mod:`headshots.leases`."""
    return [
        Column("state", String(16), nullable=False, default=PENDING),
        Column("lease_owner", String(128)),
        Column("lease_expires_at", Float),
        Column("attempt", Integer, nullable=False, default=0),
        Column("revision", Integer, nullable=False, default=0),
        Column("cancel_requested", sa.Boolean, nullable=False, default=False),
    ]


def request_columns() -> list[Column[object]]:
    """The `request_id` of the call that made a row, and all else that was asked; see services.gateway.api.requests."""
    return [Column("request_id", String(64)), Column("request_parameters", sa.JSON(none_as_null=True))]


def labelling_columns() -> list[Column[object]]:
    """What callers write on a resource to find it again; see services.gateway.api.labels."""
    return [
        Column("labels", sa.JSON, nullable=False, default=dict),
        Column("external_id", String(128), nullable=False, default=""),
    ]


def origin_column() -> Column[object]:
    """The call that made a row, for whoever works it off; null where no call did. Filled in by itself, by inserts."""
    return Column("origin", sa.JSON(none_as_null=True), default=current_origin)
