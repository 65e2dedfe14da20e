"""Erases again who was erased before and came back from a backup of the database or of the object store.

The log of erasures tells who, and has the receipts that a restored database has lost: it is kept outside what is
restored. Gateways follow it before they serve and every ten minutes, and look through the object store once a day, so
that nobody has to think of it; `headshots erasure replay` does all of it at once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots.artifacts import ArtifactStore
from headshots.clocks import ClockWatch
from headshots.database import database_now, read, write
from headshots.errors import HeadshotsError
from headshots.schema import subjects
from headshots.threads import in_erase_thread, in_write_thread
from services.gateway.audit.models import Action
from services.gateway.audit.recording import record
from services.gateway.audit.rows import newest_of
from services.gateway.erasures.issuing import Issuer
from services.gateway.erasures.log import ErasureLog, subject_hash
from services.gateway.erasures.marks import read_mark, set_mark
from services.gateway.erasures.models import Trigger
from services.gateway.erasures.restoring import bring_all_back
from services.gateway.subjects import erasure
from services.gateway.tenants.ownership import SUBJECT_FOLDERS, lock_subject, object_prefix
from services.gateway.trainings.removing import delete_lost_jobs

_LOG = logging.getLogger(__name__)
_SECONDS = 600.0
"""Between two readings: a database may be restored under gateways that run."""
_LATE_SECONDS = 86400.0
"""Between two looks for what came after an erasure. Nobody can be served what has no row; it has to go all the same."""
_FIRST_PAUSE_SECONDS = 1.0
"""Between two tries of the first reading."""
_DEFECT_PAUSE_SECONDS = 10.0
"""The same after a defect, which seldom goes by itself."""
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Replayed:
    """What a replay erased."""

    subjects: int = 0
    """People who were in the database again."""
    objects: int = 0
    """All that the object store had of them."""
    folders: int = 0
    """People of whom the object store alone had something."""
    receipts: int = 0
    """Receipts that came back into the database."""


class Replaying:
    """A gateway's part of it. `read_first` before it serves, then `run`."""

    def __init__(
        self, database: Engine, store: ArtifactStore, log: ErasureLog, issuer: Issuer, clock: ClockWatch | None = None
    ) -> None:
        self._database = database
        self._store = store
        self._log = log
        self._issuer = issuer
        self._clock = clock or ClockWatch()
        self._late_at = 0.0

    async def read_first(self) -> None:
        """Reads again and again while that fails: nothing may be served before, and no receipt signed."""
        while True:
            try:
                await self.read()
            except HeadshotsError as error:
                _LOG.warning("not serving before it is known who was erased; trying again: %s", error)
                await asyncio.sleep(_FIRST_PAUSE_SECONDS)
            except Exception:  # noqa: BLE001 - a gateway that ended would not say what it waits for
                _LOG.exception("not serving before it is known who was erased, which met a defect; trying again")
                await asyncio.sleep(_DEFECT_PAUSE_SECONDS)
            else:
                return

    async def run(self) -> None:
        """Reads, and removes old entries, every ten minutes until it is cancelled."""
        while True:
            await asyncio.sleep(_SECONDS)
            try:
                await self.read()
                await in_erase_thread(self._remove_old)
                await self.look_through()
            except HeadshotsError as error:
                _LOG.warning("cannot read who was erased; trying again: %s", error)
            except Exception:  # noqa: BLE001 - whatever it was, nobody may stay who came back
                _LOG.exception("reading who was erased met a defect; trying again")

    async def read(self) -> int:
        """Hides and erases who is in the database again, by the entries since the mark; returns how many.

        What cannot be erased now the eraser tries again. Then the receipts of since the backup come back.

        Raises:
            UnavailableError: OBJECT_STORE_UNAVAILABLE, DATABASE_UNAVAILABLE.
        """
        found = await in_erase_thread(follow, self._database, self._log)
        for tenant_id, subject_id in found:
            try:
                await in_erase_thread(erasure.erase, self._database, self._store, self._log, tenant_id, subject_id)
            except HeadshotsError as error:
                _LOG.warning("subject %s came back and is not erased again yet; trying again: %s", subject_id, error)
            except Exception:  # noqa: BLE001 - it is hidden, and holds up no other
                _LOG.exception("subject %s came back and cannot be erased again; trying again", subject_id)
        await in_erase_thread(self._bring_receipts_back)
        return len(found)

    def _bring_receipts_back(self) -> None:
        # A database that was restored under this gateway may not know the key.
        self._issuer.publish_key(self._database)
        bring_all_back(self._database, self._log)

    async def look_through(self) -> None:
        """Once a day, removes what erased subjects got after their erasure: objects, and jobs of the trainer.

        A restored object store has brought them, or a process that was frozen has written them. And holds all copies
        of receipts against the database. Raises as `read`.
        """
        if time.monotonic() < self._late_at:
            return
        folders, objects = await in_erase_thread(remove_objects, self._database, self._store, self._log)
        await in_write_thread(delete_lost_jobs, self._database, older_seconds=_LATE_SECONDS)
        await in_erase_thread(bring_all_back, self._database, self._log, whole=True)
        self._late_at = time.monotonic() + _LATE_SECONDS
        if folders:
            _LOG.warning("removed %d objects of %d subjects that were erased before", objects, folders)

    def _remove_old(self) -> None:
        now = _now(self._database)
        # By a clock that jumped ahead the whole log would go.
        if self._clock.trusts(now) and (removed := self._log.remove_old(_day(now))):
            _LOG.info("removed %d entries of the log of erasures at the end of their term", removed)


def follow(engine: Engine, log: ErasureLog) -> list[tuple[str, str]]:
    """Hides who is in the database though an entry since its mark tells that they were erased; then moves the mark.

    Returns tenant and id of each, to be erased.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE, DATABASE_UNAVAILABLE.
    """
    today, mark = _day(_now(engine)), read_mark(engine)
    # A mark that is ahead was set by a clock that was: it tells nothing of how old the database is.
    since = None if mark is None or mark > today + _DAY else min(mark, today) - _DAY
    found = _returned(engine, log.erased(since, today), sa.not_(subjects.c.deleting))
    for tenant_id, subject_id in found:
        _hide(engine, tenant_id, subject_id)
    if mark != today:
        set_mark(engine, today)
    return found


def replay(engine: Engine, store: ArtifactStore, log: ErasureLog, own: Issuer | None = None) -> Replayed:
    """Erases everybody of whom any entry tells, from the database and from the object store; see `remove_objects`.
    Brings back all receipts that have copies, by keys that the database knows or `own`.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE, OBJECT_STORE_FULL, DATABASE_UNAVAILABLE.
    """
    erased, objects = log.erased(None, _day(_now(engine))), 0
    found = _returned(engine, erased, subjects.c.erased_at.is_(None))
    for tenant_id, subject_id in found:
        _hide(engine, tenant_id, subject_id)
    receipts = bring_all_back(engine, log, whole=True, own=own)
    for tenant_id, subject_id in found:
        objects += erasure.erase(engine, store, log, tenant_id, subject_id)
    folders, without_rows = remove_objects(engine, store, log)
    return Replayed(len(found), objects + without_rows, folders, receipts)


def remove_objects(engine: Engine, store: ArtifactStore, log: ErasureLog) -> tuple[int, int]:
    """Removes the objects of subjects that were erased and have no row; returns of how many subjects, and how many.

    The audit log is asked, too: who restored a store may have restored the log of erasures in it. What neither knows
    stays: the database may be another one's. Raises as `replay`.
    """
    owners = list(_owners_without_rows(engine, store))
    if not owners:
        return 0, 0
    erased = log.erased(None, _day(_now(engine)))
    removed = [
        store.delete_prefix_sync(object_prefix(*owner))
        for owner in owners
        if subject_hash(*owner) in erased or _is_known_as_erased(engine, *owner)
    ]
    return sum(map(bool, removed)), sum(removed)


def _returned(engine: Engine, erased: Set[str], where: sa.ColumnElement[bool]) -> list[tuple[str, str]]:
    """Tenant and id of each subject of these whose hash is among those. Reads all subjects."""
    if not erased:
        return []
    with read(engine) as connection:
        rows = connection.execute(sa.select(subjects.c.tenant_id, subjects.c.id).where(where))
        return [(row.tenant_id, row.id) for row in rows if subject_hash(row.tenant_id, row.id) in erased]


def _hide(engine: Engine, tenant_id: str, subject_id: str) -> None:
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


def _now(engine: Engine) -> float:
    with read(engine) as connection:
        return database_now(connection)


def _day(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()
