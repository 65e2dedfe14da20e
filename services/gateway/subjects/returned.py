"""Finds who came back from a backup and hides them, and removes what an object store alone brought back. Blocking."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Set
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots.artifacts import ArtifactStore
from headshots.database import database_now, read, write
from headshots.schema import subjects
from services.gateway.audit.models import Action
from services.gateway.audit.recording import record
from services.gateway.audit.rows import newest_of
from services.gateway.erasures.log import ErasureLog, subject_hash
from services.gateway.erasures.marks import read_mark, set_mark
from services.gateway.erasures.models import Trigger
from services.gateway.subjects import erasure
from services.gateway.tenants.ownership import SUBJECT_FOLDERS, lock_subject, object_prefix

_LOG = logging.getLogger(__name__)
_DAY = timedelta(days=1)


def follow(engine: Engine, log: ErasureLog) -> list[tuple[str, str]]:
    """Hides who is in the database though an entry since its mark tells that they were erased; then moves the mark.

    Returns tenant and id of each, to be erased.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE, DATABASE_UNAVAILABLE.
    """
    today, mark = day_of(time_of(engine)), read_mark(engine)
    # A mark that is ahead was set by a clock that was: it tells nothing of how old the database is.
    since = None if mark is None or mark > today + _DAY else min(mark, today) - _DAY
    found = returned(engine, log.erased(since, today), sa.not_(subjects.c.deleting))
    for tenant_id, subject_id in found:
        hide(engine, tenant_id, subject_id)
    if mark != today:
        set_mark(engine, today)
    return found


def remove_objects(engine: Engine, store: ArtifactStore, log: ErasureLog) -> tuple[int, int]:
    """Removes the objects of subjects that were erased and have no row; returns of how many subjects, and how many.

    The audit log is asked, too: who restored a store may have restored the log of erasures in it. What neither knows
    stays: the database may be another one's.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE, DATABASE_UNAVAILABLE.
    """
    owners = list(_owners_without_rows(engine, store))
    if not owners:
        return 0, 0
    erased = log.erased(None, day_of(time_of(engine)))
    removed = [
        store.delete_prefix_sync(object_prefix(*owner))
        for owner in owners
        if subject_hash(*owner) in erased or _is_known_as_erased(engine, *owner)
    ]
    return sum(map(bool, removed)), sum(removed)


def returned(engine: Engine, erased: Set[str], where: sa.ColumnElement[bool]) -> list[tuple[str, str]]:
    """Tenant and id of each subject of these whose hash is among those. Reads all subjects."""
    if not erased:
        return []
    with read(engine) as connection:
        rows = connection.execute(sa.select(subjects.c.tenant_id, subjects.c.id).where(where))
        return [(row.tenant_id, row.id) for row in rows if subject_hash(row.tenant_id, row.id) in erased]


def hide(engine: Engine, tenant_id: str, subject_id: str) -> None:
    """Hides a subject, held or not. Its jobs are cancelled and not waited for: their workers lose the rows."""
    with write(engine) as connection:
        lock_subject(connection, subject_id)
        shown = sa.select(subjects.c.id).where(subjects.c.id == subject_id, sa.not_(subjects.c.deleting))
        # Another gateway may have been quicker.
        if connection.execute(shown).first() is not None:
            erasure.cancel_and_hide(connection, tenant_id, subject_id, Trigger.REPLAY)
            record(connection, tenant_id, subject_id, Action.SUBJECT_DELETED)
            _LOG.warning("subject %s was erased before and is back; it is erased again", subject_id)


def _owners_without_rows(engine: Engine, store: ArtifactStore) -> Iterator[tuple[str, str]]:
    """Tenant and id of each subject that has objects and no row, which would tell to remove them. Lists no objects."""
    for tenant_id in store.folders_sync("tenants"):
        owners = store.folders_sync(SUBJECT_FOLDERS.format(tenant_id=tenant_id))
        # After the store: a subject has its row before it has objects.
        with read(engine) as connection:
            mine = sa.select(subjects.c.id).where(subjects.c.tenant_id == tenant_id)
            known = set(connection.execute(mine).scalars())
        yield from ((tenant_id, subject_id) for subject_id in owners if subject_id not in known)


def _is_known_as_erased(engine: Engine, tenant_id: str, subject_id: str) -> bool:
    with read(engine) as connection:
        return newest_of(connection, tenant_id, subject_id, [Action.SUBJECT_ERASED]) is not None


def time_of(engine: Engine) -> float:
    """The database's time, seconds since the epoch."""
    with read(engine) as connection:
        return database_now(connection)


def day_of(now: float) -> date:
    """The day by UTC of a time in seconds since the epoch."""
    return datetime.fromtimestamp(now, UTC).date()
