"""Signs the receipt of an erasure, in the transaction in which the subject's row goes. Blocking SQL.

What is signed is looked up in that transaction: that no table holds a row of the subject. So there is one receipt an
erasure, whoever is killed when, and none for one that is not complete.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine, Row

from headshots.database import database_now, now_expression, write
from headshots.errors import FailedPreconditionError
from headshots.receipts.signing import ReceiptKey
from headshots.receipts.verifying import FIRST, FORMAT, read_public_keys
from headshots.schema import (
    commitments,
    consents,
    erasure_chains,
    erasure_keys,
    erasures,
    galleries,
    marks,
    photos,
    retentions,
    shoots,
    team_members,
    terms,
    trainings,
)
from services.gateway.erasures.recording import lock_open

MAX_HORIZON_DAYS = 36500
"""A hundred years."""
_DAY_SECONDS = 86400
# Shots and events belong to rows of these, which the database keeps as long as it has them.
_COLUMNS = (
    commitments.c.subject_id,
    consents.c.subject_id,
    galleries.c.subject_id,
    marks.c.subject_id,
    photos.c.subject_id,
    retentions.c.id,
    shoots.c.subject_id,
    team_members.c.subject_id,
    terms.c.subject_id,
    trainings.c.subject_id,
)


class Issuer:
    """Signs with the installation's key."""

    def __init__(self, key: ReceiptKey, *, backup_horizon_days: int) -> None:
        """`backup_horizon_days`: for how long backups may have what was erased, as the operator states it."""
        self._key = key
        self._horizon_days = backup_horizon_days
        (self.public_key,) = read_public_keys(key.public_pem.encode("ascii"))
        """What its receipts are checked with."""

    def publish_key(self, engine: Engine) -> None:
        """Lets callers have the public key, also after another has taken its place."""
        insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
        values = {
            "id": self._key.id,
            "public_key_pem": self._key.public_pem,
            "created_at": now_expression(engine.dialect.name),
        }
        with write(engine) as connection:
            connection.execute(insert(erasure_keys).values(**values).on_conflict_do_nothing())

    def issue(self, connection: Connection, tenant_id: str, subject_id: str, *, listed_at: float) -> None:
        """Signs the receipt, unless another gateway has; `listed_at`: when the subject's folder was seen to be empty.

        The caller has locked the subject. From then on nothing in the row leads to it.

        Raises:
            FailedPreconditionError: ERASURE_INCOMPLETE, a row of the subject is there still.
        """
        if (row := lock_open(connection, tenant_id, subject_id)) is None:
            return
        _check_gone(connection, subject_id)
        chain = lock_chain(connection, tenant_id)
        now, number = database_now(connection), chain.head_number + 1
        until = now + self._horizon_days * _DAY_SECONDS
        document = {
            **_told_of(row),
            "number": number,
            "previous": chain.head_sha256,
            "signed_at": _text(now),
            "verified": {"at": _text(now), "listed_at": _text(listed_at), "tables": [_table(at) for at in _COLUMNS]},
            "backups": {"horizon_days": self._horizon_days, "until": _text(until)},
        }
        receipt = self._key.signed(document)
        sha256 = hashlib.sha256(receipt).hexdigest()
        told = {"number": number, "receipt": receipt.decode("ascii"), "receipt_sha256": sha256}
        forgotten = {"subject_id": None, "salt": None, "seen": None}
        connection.execute(
            sa.update(erasures)
            .where(erasures.c.id == row.id)
            .values(**told, **forgotten, signed_at=now, backups_until=until)
        )
        move_head(connection, tenant_id, number, sha256)


def _told_of(row: Row[Any]) -> dict[str, Any]:
    """What a receipt says of the erasure alone."""
    summary = row.summary or {"classes": [], "uncommitted": []}
    return {
        "format": FORMAT,
        "erasure": row.id,
        "tenant": row.tenant_id,
        "subject": row.subject_commitment,
        "trigger": row.trigger,
        "policy": row.policy,
        "requested_at": _text(row.created_at),
        "erased_at": _text(row.erased_at),
        "classes": summary["classes"],
        "uncommitted": summary["uncommitted"],
        "replicas": {
            "confirmed": sorted(name for name, has in row.replicas.items() if has),
            "silent": sorted(name for name, has in row.replicas.items() if not has),
        },
        "exceptions": row.exceptions,
    }


def _check_gone(connection: Connection, subject_id: str) -> None:
    for column in _COLUMNS:
        if connection.execute(sa.select(column).where(column == subject_id).limit(1)).first() is not None:
            raise FailedPreconditionError(
                "ERASURE_INCOMPLETE", f"{_table(column)} has a row of a subject that is erased; the gateway tries again"
            )


def _table(column: sa.Column[Any]) -> str:
    return str(column.table.name)


def lock_chain(connection: Connection, tenant_id: str) -> Row[Any]:
    """The row of a tenant's chain, locked; made where the tenant has none."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    new = {"tenant_id": tenant_id, "head_number": 0, "head_sha256": FIRST}
    connection.execute(insert(erasure_chains).values(**new).on_conflict_do_nothing())
    mine = erasure_chains.c.tenant_id == tenant_id
    return connection.execute(sa.select(erasure_chains).where(mine).with_for_update()).one()


def move_head(connection: Connection, tenant_id: str, number: int, sha256: str) -> None:
    """Makes this receipt the one that the next follows. The caller has locked the chain."""
    mine = erasure_chains.c.tenant_id == tenant_id
    connection.execute(sa.update(erasure_chains).where(mine).values(head_number=number, head_sha256=sha256))


def _text(seconds: float) -> str:
    """RFC 3339, UTC, to the millisecond."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
