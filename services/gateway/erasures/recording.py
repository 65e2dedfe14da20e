"""Records an erasure from the transaction that hides its subject until the one that signs its receipt. Blocking SQL.

Each step may be repeated, by any gateway: there is one row for each subject that is being erased, and nothing is
counted twice.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine, Row

from headshots.artifacts import ArtifactStore
from headshots.database import database_now, now_expression, read, write
from headshots.errors import FailedPreconditionError
from headshots.receipts.merkle import root
from headshots.schema import commitments, erasures, retentions, subjects, tenants
from services.gateway.erasures.commitments import of_subject
from services.gateway.erasures.models import Gap, StoreClass, Trigger
from services.gateway.tenants.ownership import object_prefix

_CLASSES = tuple(each.value for each in StoreClass if each is not StoreClass.SUBJECT)
_OTHER = "other"
"""What receipts call folders of a subject that they do not know."""


def begin(connection: Connection, tenant_id: str, subject_id: str, trigger: Trigger) -> str:
    """Records that a locked subject's erasure begins, unless it has begun already; its id."""
    own = connection.execute(sa.select(of_subject(sa.literal(subject_id)))).scalar()
    gaps = ([] if own else [Gap.SUBJECT_UNCOMMITTED]) + ([Gap.RECORDED_LATE] if trigger is Trigger.UNKNOWN else [])
    values = {
        "id": secrets.token_hex(16),
        "tenant_id": tenant_id,
        "subject_id": subject_id,
        "subject_commitment": own,
        "trigger": trigger.value,
        "policy": _policy(connection, tenant_id, subject_id),
        "created_at": now_expression(connection.dialect.name),
        "salt": secrets.token_hex(32),
        "replicas": {},
        "exceptions": [{"reason": gap.value, "count": 1} for gap in gaps],
    }
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(erasures).values(**values).on_conflict_do_nothing(index_elements=["subject_id"]))
    mine = erasures.c.subject_id == subject_id
    return str(connection.execute(sa.select(erasures.c.id).where(mine)).scalar_one())


def _policy(connection: Connection, tenant_id: str, subject_id: str) -> dict[str, Any]:
    """For how long the subject was kept after a delivery, and who said so."""
    own = connection.execute(sa.select(retentions.c.own_seconds).where(retentions.c.id == subject_id)).scalar()
    policy = sa.select(tenants.c.retention_seconds).where(tenants.c.id == tenant_id)
    return {
        "retention_seconds": own or int(connection.execute(policy).scalar_one()),
        "set_by": "SUBJECT" if own else "TENANT",
    }


def note_objects(engine: Engine, tenant_id: str, subject_id: str, sizes: Mapping[str, int]) -> None:
    """Counts the objects that are about to be removed, by key with their bytes; those that were counted stay so.

    The first call also sums up what was committed to: it comes before anything is removed.
    """
    with write(engine) as connection:
        if (row := lock_open(connection, tenant_id, subject_id)) is None:
            return
        committed = _commitments_of(connection, subject_id)
        told = {key: hmac.digest(bytes.fromhex(row.salt), key.encode(), hashlib.sha256).hex() for key in sizes}
        seen, gaps = set(row.seen or ()), list(row.exceptions)
        summary = row.summary or {"classes": _summed(committed), "uncommitted": []}
        if row.summary is None and (missing := sum(key not in sizes for key in committed)):
            gaps.append({"reason": Gap.OBJECTS_MISSING.value, "count": missing})
        fresh = {key: size for key, size in sizes.items() if told[key] not in seen}
        added = {key: size for key, size in fresh.items() if key not in committed}
        folder = f"{object_prefix(tenant_id, subject_id)}/"
        summary["uncommitted"] = _with(summary["uncommitted"], {key.removeprefix(folder): added[key] for key in added})
        values = {"summary": summary, "seen": sorted(seen.union(told.values())), "exceptions": gaps}
        connection.execute(sa.update(erasures).where(erasures.c.id == row.id).values(**values))


def check_empty(engine: Engine, store: ArtifactStore, tenant_id: str, subject_id: str) -> float:
    """When a listing of the subject's folder was seen to be empty, by the database's clock.

    Raises:
        FailedPreconditionError: ERASURE_INCOMPLETE, something was stored since it was emptied.
        UnavailableError: OBJECT_STORE_UNAVAILABLE, DATABASE_UNAVAILABLE.
    """
    if store.list_sync(object_prefix(tenant_id, subject_id)):
        raise FailedPreconditionError(
            "ERASURE_INCOMPLETE", f"subject {subject_id} had something stored again; the gateway tries again"
        )
    with read(engine) as connection:
        return database_now(connection)


def lock_open(connection: Connection, tenant_id: str, subject_id: str) -> Row[Any] | None:
    """The row of a subject's erasure, locked; made where a gateway that knows no receipts began it.

    None: another gateway has signed its receipt.
    """
    query = sa.select(erasures).where(erasures.c.subject_id == subject_id).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        # The receipt is signed in the transaction in which the subject's row goes.
        there = sa.select(subjects.c.id).where(subjects.c.id == subject_id).with_for_update()
        if connection.execute(there).first() is not None:
            begin(connection, tenant_id, subject_id, Trigger.UNKNOWN)
            row = connection.execute(query).one()
    return row


def _commitments_of(connection: Connection, subject_id: str) -> dict[str, Row[Any]]:
    """Those to objects of the subject, by key."""
    objects = sa.and_(commitments.c.subject_id == subject_id, commitments.c.object_key != "")
    return {row.object_key: row for row in connection.execute(sa.select(commitments).where(objects))}


def _summed(committed: Mapping[str, Row[Any]]) -> list[dict[str, Any]]:
    """Of each class that has any: how many, how many bytes, the Merkle root."""
    summed = []
    for name in _CLASSES:
        rows = [row for row in committed.values() if row.store_class == name]
        if rows:
            total = sum(row.size_bytes for row in rows)
            digest = root(row.commitment for row in rows)
            summed.append({"class": name, "count": len(rows), "bytes": total, "root": digest})
    return summed


def _with(uncommitted: list[dict[str, Any]], sizes: Mapping[str, int]) -> list[dict[str, Any]]:
    """Counts further objects, by their path within the subject's folder, in the class that their folder is of."""
    counts: Counter[str] = Counter({each["class"]: each["count"] for each in uncommitted})
    totals: Counter[str] = Counter({each["class"]: each["bytes"] for each in uncommitted})
    for path, size in sizes.items():
        folder = path.partition("/")[0]
        name = folder if folder in _CLASSES else _OTHER
        counts[name] += 1
        totals[name] += size
    return [{"class": name, "count": counts[name], "bytes": totals[name]} for name in sorted(counts)]


def note_erased(connection: Connection, subject_id: str) -> None:
    """Records that all is gone but what may come late, unless that is recorded already."""
    mine = sa.and_(erasures.c.subject_id == subject_id, erasures.c.erased_at.is_(None))
    connection.execute(sa.update(erasures).where(mine).values(erased_at=database_now(connection)))


def note_replicas(connection: Connection, subject_id: str, confirmed: Collection[str], silent: Collection[str]) -> None:
    """Records which generators have forgotten the subject's adapters, and which did not answer; ids tell no address.

    Who has confirmed once has. After the receipt is signed nothing is recorded any more.
    """
    query = sa.select(erasures).where(erasures.c.subject_id == subject_id).with_for_update()
    if (row := connection.execute(query).first()) is None:
        return
    told = {**dict.fromkeys(silent, False), **row.replicas}
    told |= dict.fromkeys(confirmed, True)
    connection.execute(sa.update(erasures).where(erasures.c.id == row.id).values(replicas=told))
