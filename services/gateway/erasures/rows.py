"""Finds and lists erasures, and the keys of their receipts. Blocking SQL; `recording` and `issuing` write them."""

from __future__ import annotations

import hashlib
import math
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.database import database_now, now_expression, read
from headshots.leases import LONGEST_SECONDS
from headshots.receipts.canonical import canonical
from headshots.schema import erasure_keys, erasures, subjects
from services.gateway.api.errors import not_found
from services.gateway.api.names import erasure_name
from services.gateway.api.pages import NewestFirst
from services.gateway.erasures.models import Erasure, PublicKey, State, Trigger, Unfinished

# An erasure of these may have begun before its record did: by an older gateway, or before the backup was made.
_LATE = (Trigger.UNKNOWN, Trigger.REPLAY)


def get_erasure(engine: Engine, tenant_id: str, erasure_id: str) -> Erasure:
    """One erasure of the tenant's.

    Raises:
        NotFoundError: ERASURE_NOT_FOUND.
    """
    mine = sa.and_(erasures.c.id == erasure_id, erasures.c.tenant_id == tenant_id)
    with read(engine) as connection:
        row = connection.execute(sa.select(erasures).where(mine)).first()
        if row is None:
            raise not_found("ERASURE_NOT_FOUND", erasure_name(erasure_id), listed_by="ListErasureReceipts")
        return _to_erasure(row, database_now(connection))


def list_erasures(
    engine: Engine, tenant_id: str, subject_commitment: str, size: int, token: str
) -> tuple[list[Erasure], str]:
    """A page of the tenant's, newest first, and the next token; with a commitment those of that subject.

    Raises:
        InvalidArgumentError: PAGE_TOKEN_INVALID.
    """
    mine = erasures.c.tenant_id == tenant_id
    if subject_commitment:
        mine = sa.and_(mine, erasures.c.subject_commitment == subject_commitment)
    page = NewestFirst(erasures, mine, size, token)
    with read(engine) as connection:
        rows, next_token = page.read(connection)
        now = database_now(connection)
        return [_to_erasure(row, now) for row in rows], next_token


def list_keys(engine: Engine, size: int, token: str) -> tuple[list[PublicKey], str]:
    """A page of the keys that receipts are or were signed with, newest first, and the next token.

    Raises:
        InvalidArgumentError: PAGE_TOKEN_INVALID.
    """
    page = NewestFirst(erasure_keys, sa.true(), size, token)
    with read(engine) as connection:
        rows, next_token = page.read(connection)
    return [PublicKey(row.id, row.public_key_pem, row.created_at) for row in rows], next_token


def open_erasures(engine: Engine, *, grace_seconds: float) -> list[Unfinished]:
    """Erasures that were interrupted, and those whose subject was erased at least `grace_seconds` ago.

    Among them are those that a gateway without receipts has ended: they lack one.
    """
    with read(engine) as connection:
        recorded = connection.execute(sa.select(erasures).where(erasures.c.signed_at.is_(None)))
        begun = {row.subject_id: row.created_at for row in recorded if Trigger(row.trigger) not in _LATE}
        rows = connection.execute(open_erasures_query(connection, grace_seconds=grace_seconds))
        found = [Unfinished(row.tenant_id, row.id, row.erased_at, begun.get(row.id)) for row in rows]
        unsigned = connection.execute(_orphans_query(connection, grace_seconds=grace_seconds))
        return found + [
            Unfinished(row.tenant_id, row.subject_id, row.erased_at or row.created_at, begun.get(row.subject_id))
            for row in unsigned
        ]


def open_erasures_query(connection: Connection, *, grace_seconds: float) -> sa.Select[Any]:
    """The query of `open_erasures` for subjects that are there."""
    ended_before = _ended_before(connection, subjects.c.erased_at, grace_seconds)
    return sa.select(subjects).where(subjects.c.deleting, sa.or_(subjects.c.erased_at.is_(None), ended_before))


def trigger_of(connection: Connection, subject_id: str) -> Trigger:
    """What began a subject's erasure."""
    begun = connection.execute(sa.select(erasures.c.trigger).where(erasures.c.subject_id == subject_id)).scalar()
    return Trigger.UNKNOWN if begun is None else Trigger(begun)


def _orphans_query(connection: Connection, *, grace_seconds: float) -> sa.Select[Any]:
    there = sa.exists().where(subjects.c.id == erasures.c.subject_id)
    ended = sa.func.coalesce(erasures.c.erased_at, erasures.c.created_at)
    ended_before = _ended_before(connection, ended, grace_seconds)
    return sa.select(erasures).where(erasures.c.signed_at.is_(None), sa.not_(there), ended_before)


def _ended_before(
    connection: Connection, ended: sa.ColumnElement[float], grace_seconds: float
) -> sa.ColumnElement[bool]:
    """Whether a time is `grace_seconds` ago, or of a clock that was far ahead and would keep receipts unsigned."""
    now = now_expression(connection.dialect.name)
    past = ended <= now - grace_seconds
    # Where none is to be completed, those of such a clock are not either.
    return past if math.isinf(grace_seconds) else sa.or_(past, ended > now + LONGEST_SECONDS)


def _to_erasure(row: Row[Any], now: float) -> Erasure:
    return Erasure(
        id=row.id,
        state=_state(row, now),
        trigger=Trigger(row.trigger),
        requested_at=row.created_at,
        erased_at=row.erased_at,
        signed_at=row.signed_at,
        backups_until=row.backups_until,
        subject_commitment=row.subject_commitment or "",
        number=row.number or 0,
        receipt=row.receipt or "",
        receipt_sha256=row.receipt_sha256 or "",
    )


def _state(row: Row[Any], now: float) -> State:
    if row.signed_at is None:
        return State.PENDING
    return State.COMPLETE if row.backups_until <= now else State.PENDING_BACKUPS


def row_of(document: dict[str, Any]) -> dict[str, Any]:
    """The row of a signed erasure, as the issuer leaves it. Raises ValueError, which tells what is not understood."""
    try:
        return _values_of(document)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"this version cannot read it: {error!r}") from error


def _values_of(document: dict[str, Any]) -> dict[str, Any]:
    replicas, receipt = document["replicas"], canonical(document)
    return {
        "id": document["erasure"],
        "tenant_id": document["tenant"],
        "subject_commitment": document["subject"],
        "trigger": Trigger(document["trigger"]).value,
        "policy": document["policy"],
        "created_at": _seconds(document["requested_at"]),
        "erased_at": _seconds(document["erased_at"]),
        "summary": {"classes": document["classes"], "uncommitted": document["uncommitted"]},
        "replicas": {**dict.fromkeys(replicas["confirmed"], True), **dict.fromkeys(replicas["silent"], False)},
        "exceptions": document["exceptions"],
        "number": document["number"],
        "receipt": receipt.decode("ascii"),
        "receipt_sha256": hashlib.sha256(receipt).hexdigest(),
        "signed_at": _seconds(document["signed_at"]),
        "backups_until": _seconds(document["backups"]["until"]),
        "subject_id": None,
        "salt": None,
        "seen": None,
    }


def _seconds(text: str) -> float:
    """Seconds since the epoch of a time in RFC 3339."""
    return datetime.fromisoformat(text).timestamp()
