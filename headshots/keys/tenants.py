"""Makes and lists tenants, grants them high priority, waives consent, and says how long their people are kept.

Blocking SQL; call through a thread.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine

from headshots.database import database_now, read, write
from headshots.errors import InvalidArgumentError, NotFoundError
from headshots.schema import DEFAULT_HIGH_LIMIT, MAX_RETENTION_SECONDS, MIN_RETENTION_SECONDS, NO_HIGH_WEIGHT, tenants

DEFAULT_TENANT = "default"
DEFAULT_HIGH_WEIGHT = 4
"""How much a tenant's high-priority work counts where its grant names no number."""
MAX_HIGH_WEIGHT = 8
"""The most that it may count: with n tenants nobody gets less than one part in 8 n - 7."""
MAX_HIGH_LIMIT = 100_000
"""The most trainings and shots of high priority that a grant may let a tenant have at a time."""
_TENANT_ID = re.compile(r"[a-z0-9-]{1,64}")


@dataclass(frozen=True)
class TenantRecord:
    """A tenant as its operator sees it. `created_at` is seconds since the epoch."""

    id: str
    display_name: str
    high_weight: int
    """How many times as much as other work its high-priority work may have running; 1: it has no right to any."""
    high_limit: int
    """How many trainings and shots of high priority it may have waiting or running, where it has the right."""
    consent_required: bool
    """Whether its subjects have to consent before they are trained and painted."""
    retention_seconds: int
    """How long its subjects are kept after their last delivery."""
    created_at: float


def create_tenant(engine: Engine, tenant_id: str, display_name: str = "") -> None:
    """Makes a tenant unless it is there.

    Raises:
        InvalidArgumentError: TENANT_ID_INVALID.
    """
    if not _TENANT_ID.fullmatch(tenant_id):
        raise InvalidArgumentError(
            "TENANT_ID_INVALID", f"{tenant_id!r}: a tenant's id is 1 to 64 characters of a-z, 0-9 and -"
        )
    with write(engine) as connection:
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        # One statement: between a look and an insert another process could make it.
        connection.execute(
            insert(tenants)
            .values(id=tenant_id, display_name=display_name, created_at=database_now(connection))
            .on_conflict_do_nothing()
        )


def list_tenants(engine: Engine) -> list[TenantRecord]:
    """Every tenant, oldest first."""
    query = sa.select(tenants).order_by(tenants.c.created_at, tenants.c.id)
    with read(engine) as connection:
        return [
            TenantRecord(
                row.id,
                row.display_name,
                row.high_weight,
                row.high_limit,
                row.consent_required,
                row.retention_seconds,
                row.created_at,
            )
            for row in connection.execute(query)
        ]


def grant_high(
    engine: Engine, tenant_id: str, weight: int = DEFAULT_HIGH_WEIGHT, limit: int = DEFAULT_HIGH_LIMIT
) -> None:
    """Lets the tenant ask for high priority, which then counts `weight` times as much as other work.

    `limit`: for how many trainings and shots that wait or run at a time.

    Raises:
        InvalidArgumentError: HIGH_WEIGHT_INVALID, not 2 to 8; HIGH_LIMIT_INVALID, not 1 to 100,000.
        NotFoundError: TENANT_NOT_FOUND.
    """
    if not NO_HIGH_WEIGHT < weight <= MAX_HIGH_WEIGHT:
        raise InvalidArgumentError(
            "HIGH_WEIGHT_INVALID", f"a weight of {weight}; give {NO_HIGH_WEIGHT + 1} to {MAX_HIGH_WEIGHT}"
        )
    if not 1 <= limit <= MAX_HIGH_LIMIT:
        raise InvalidArgumentError("HIGH_LIMIT_INVALID", f"a limit of {limit}; give 1 to {MAX_HIGH_LIMIT:,}")
    _change(engine, tenant_id, high_weight=weight, high_limit=limit)


def revoke_high(engine: Engine, tenant_id: str) -> None:
    """Takes the right back; what is queued with high priority goes before the tenant's own other work only.

    Raises:
        NotFoundError: TENANT_NOT_FOUND.
    """
    _change(engine, tenant_id, high_weight=NO_HIGH_WEIGHT)


def set_consent_required(engine: Engine, tenant_id: str, *, required: bool) -> None:
    """Says whether the tenant's subjects have to consent before they are trained and painted; they do at first.

    Required again, it holds for what waits and is not painted yet, too.

    Raises:
        NotFoundError: TENANT_NOT_FOUND.
    """
    _change(engine, tenant_id, consent_required=required)


def set_retention(engine: Engine, tenant_id: str, seconds: int) -> None:
    """Says how long the tenant's subjects are kept after their last delivery, from the next creation or delivery on.

    Raises:
        InvalidArgumentError: RETENTION_INVALID, not an hour to 400 days.
        NotFoundError: TENANT_NOT_FOUND.
    """
    if not MIN_RETENTION_SECONDS <= seconds <= MAX_RETENTION_SECONDS:
        raise InvalidArgumentError("RETENTION_INVALID", f"{seconds} seconds; give an hour to 400 days")
    _change(engine, tenant_id, retention_seconds=seconds)


def _change(engine: Engine, tenant_id: str, **values: Any) -> None:
    with write(engine) as connection:
        known = connection.execute(sa.update(tenants).where(tenants.c.id == tenant_id).values(**values))
        if known.rowcount == 0:
            raise NotFoundError(
                "TENANT_NOT_FOUND", f"there is no tenant {tenant_id!r}; `headshots tenants list` shows those there are"
            )
