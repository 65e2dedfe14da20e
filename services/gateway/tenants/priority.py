"""Checks that a tenant may ask for high priority, and for how much of it at a time. Blocking SQL."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headshots.errors import FieldViolation, PermissionDeniedError, ResourceExhaustedError
from headshots.schema import (
    HIGH_PRIORITY,
    NO_HIGH_WEIGHT,
    PENDING,
    RUNNING,
    galleries,
    shoots,
    shots,
    tenants,
    trainings,
)

_ACTIVE = (PENDING, RUNNING)
# Places come free with every shot that is painted.
_RETRY_SECONDS = 10.0


def check_priority(connection: Connection, tenant_id: str, priority: int) -> None:
    """Returns where the tenant may order work of this priority.

    Raises:
        PermissionDeniedError: PRIORITY_NOT_GRANTED.
    """
    if priority < HIGH_PRIORITY:
        return
    weight = connection.execute(sa.select(tenants.c.high_weight).where(tenants.c.id == tenant_id)).scalar_one()
    if weight <= NO_HIGH_WEIGHT:
        raise PermissionDeniedError(
            "PRIORITY_NOT_GRANTED",
            "high priority is a right that your tenant does not have; leave the priority out, or have the operator "
            f"grant it: `headshots tenants grant-high {tenant_id}`",
            violations=[FieldViolation("priority", "PRIORITY_STANDARD, unless the right was granted")],
        )


def check_places(connection: Connection, tenant_id: str, priority: int, needed: int) -> None:
    """Returns where the tenant may have so many more trainings and shots of this priority that wait or run.

    Blocks every other call of this for the tenant until the transaction ends, so that two orders do not take the same
    places. The caller has locked its subject. `needed` is 0 of what already has its places: a part of a shoot.

    Raises:
        PermissionDeniedError: PRIORITY_NOT_GRANTED.
        ResourceExhaustedError: HIGH_PRIORITY_FULL.
    """
    check_priority(connection, tenant_id, priority)
    if priority < HIGH_PRIORITY or not needed:
        return
    # Rows that name the tenant may be inserted meanwhile, as by orders of standard priority.
    lock = sa.select(tenants.c.high_limit, tenants.c.high_weight).where(tenants.c.id == tenant_id)
    limit, weight = connection.execute(lock.with_for_update(key_share=True)).one()
    taken = _taken(connection, tenant_id)
    if taken + needed > limit:
        raise _full(tenant_id, taken, needed, limit, weight)


def _taken(connection: Connection, tenant_id: str) -> int:
    """Trainings and shots of high priority that wait or run, and those that shoots will order."""
    high_trainings = sa.select(sa.func.count()).where(
        trainings.c.tenant_id == tenant_id, trainings.c.state.in_(_ACTIVE), _is_high(trainings.c.request)
    )
    high_shots = (
        sa.select(sa.func.count())
        .select_from(shots.join(galleries, galleries.c.id == shots.c.gallery_id))
        .where(
            galleries.c.tenant_id == tenant_id,
            galleries.c.priority >= HIGH_PRIORITY,
            galleries.c.state.in_(_ACTIVE),
            shots.c.state.in_(_ACTIVE),
        )
    )
    still_training = sa.select(shoots.c.plan["style_shots"]).where(
        shoots.c.tenant_id == tenant_id,
        shoots.c.state.in_(_ACTIVE),
        shoots.c.gallery_id.is_(None),
        _is_high(shoots.c.plan),
    )
    to_come = sum(sum(row[0]) for row in connection.execute(still_training))
    return sum(connection.execute(query).scalar_one() for query in (high_trainings, high_shots)) + to_come


def _is_high(document: sa.Column[Any]) -> sa.ColumnElement[bool]:
    high: sa.ColumnElement[bool] = document["priority"].as_integer() >= HIGH_PRIORITY
    return high


def _full(tenant_id: str, taken: int, needed: int, limit: int, weight: int) -> ResourceExhaustedError:
    cure = "leave the priority out, or have the operator raise the limit: `headshots tenants grant-high"
    first = "wait until some have ended, " if needed <= limit else ""
    return ResourceExhaustedError(
        "HIGH_PRIORITY_FULL",
        f"your tenant may have {limit} trainings and shots of high priority waiting or running, {taken} are, and this "
        f"order would add {needed}; {first}{cure} {tenant_id} --weight {weight} --limit N`",
        violations=[FieldViolation("priority", "PRIORITY_STANDARD, or fewer at a time")],
        metadata={"limit": str(limit), "taken": str(taken), "needed": str(needed)},
        # What is more than the limit by itself never fits.
        retry_after_seconds=_RETRY_SECONDS if needed <= limit else None,
    )
