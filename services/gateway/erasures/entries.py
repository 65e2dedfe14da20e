"""Leaves entries in the log of erasures. Blocking."""

from __future__ import annotations

from sqlalchemy.engine import Engine

from headshots.database import database_now, read
from services.gateway.erasures.log import ErasureLog
from services.gateway.erasures.rows import trigger_of


def leave_entry(engine: Engine, log: ErasureLog, tenant_id: str, subject_id: str) -> None:
    """Leaves the entry of a subject that is hidden.

    From then on it comes back from no backup. Not before it is hidden: one whose deletion was refused would be erased.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE, OBJECT_STORE_FULL, DATABASE_UNAVAILABLE.
    """
    with read(engine) as connection:
        at, trigger = database_now(connection), trigger_of(connection, subject_id)
    log.write(tenant_id, subject_id, trigger, at)
