"""Leaves entries in the log of erasures. Blocking."""

from __future__ import annotations

from sqlalchemy.engine import Connection, Engine

from headshots.database import database_now, read
from services.gateway.audit.models import Action
from services.gateway.audit.rows import newest_of
from services.gateway.erasures.log import ErasureLog, Trigger

_TRIGGERS = {
    Action.SUBJECT_DELETED: Trigger.REQUEST,
    Action.CONSENT_WITHDRAWN: Trigger.CONSENT_WITHDRAWN,
    Action.SUBJECT_EXPIRED: Trigger.EXPIRY,
}


def leave_entry(engine: Engine, log: ErasureLog, tenant_id: str, subject_id: str) -> None:
    """Leaves the entry of a subject that is hidden.

    From then on it comes back from no backup. Not before it is hidden: one whose deletion was refused would be erased.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE, OBJECT_STORE_FULL, DATABASE_UNAVAILABLE.
    """
    with read(engine) as connection:
        at, trigger = database_now(connection), _trigger(connection, tenant_id, subject_id)
    log.write(tenant_id, subject_id, trigger, at)


def _trigger(connection: Connection, tenant_id: str, subject_id: str) -> Trigger:
    """What hid the subject, by the audit log."""
    newest = newest_of(connection, tenant_id, subject_id, _TRIGGERS)
    if newest is None:
        return Trigger.UNKNOWN
    action, key_id = newest
    # Only `replaying` deletes without a caller.
    return Trigger.REPLAY if (action, key_id) == (Action.SUBJECT_DELETED, "") else _TRIGGERS[action]
