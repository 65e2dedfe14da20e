"""Leaves entries and copies of receipts in the log of erasures. Blocking."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots.database import database_now, read, write
from headshots.errors import UnavailableError
from headshots.schema import erasures
from services.gateway.erasures.log import ErasureLog
from services.gateway.erasures.rows import trigger_of

_COPIED_AT_ONCE = 200
"""Receipts that one call copies: a few seconds of a cloud's store. An older database may have many thousands."""


def leave_entry(engine: Engine, log: ErasureLog, tenant_id: str, subject_id: str) -> None:
    """Leaves the entry of a subject that is hidden.

    From then on it comes back from no backup. Not before it is hidden: one whose deletion was refused would be erased.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE, OBJECT_STORE_FULL, DATABASE_UNAVAILABLE.
    """
    with read(engine) as connection:
        at, trigger = database_now(connection), trigger_of(connection, subject_id)
    log.write(tenant_id, subject_id, trigger, at)


def copy_receipts(engine: Engine, log: ErasureLog) -> int:
    """Copies receipts that have no copy, at most 200; returns how many. The newest first: backups have the older ones.

    A tenant's folder that takes none holds up no other's.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE, OBJECT_STORE_FULL, DATABASE_UNAVAILABLE.
    """
    with read(engine) as connection:
        rows = connection.execute(uncopied_query().limit(_COPIED_AT_ONCE)).all()
    copied, failures = list[str](), dict[str, UnavailableError]()
    for row in rows:
        if row.tenant_id in failures:
            continue
        try:
            if log.write_receipt(row.tenant_id, row.number, row.receipt.encode("ascii")):
                copied.append(row.id)
        except UnavailableError as error:
            failures[row.tenant_id] = error
    if copied:
        with write(engine) as connection:
            values = {"copied_at": database_now(connection)}
            connection.execute(sa.update(erasures).where(erasures.c.id.in_(copied)).values(**values))
    for failure in failures.values():
        raise failure
    return len(copied)


def uncopied_query() -> sa.Select[Any]:
    """The query of `copy_receipts`."""
    uncopied = sa.and_(erasures.c.copied_at.is_(None), erasures.c.signed_at.is_not(None))
    return sa.select(erasures).where(uncopied).order_by(erasures.c.signed_at.desc())
