"""Erases again who was erased before and came back from a backup of the database or of the object store.

The log of erasures tells who, and has the receipts that a restored database has lost: it is kept outside what is
restored. Gateways follow it before they serve and every ten minutes, and look through the object store once a day, so
that nobody has to think of it; `headshots erasure replay` does all of it at once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.engine import Engine

from headshots.artifacts import ArtifactStore
from headshots.clocks import ClockWatch
from headshots.errors import HeadshotsError
from headshots.schema import subjects
from headshots.threads import in_erase_thread, in_write_thread
from services.gateway.erasures.issuing import Issuer
from services.gateway.erasures.log import ErasureLog
from services.gateway.erasures.restoring import ReceiptsUnreadableError, bring_all_back
from services.gateway.subjects import erasure
from services.gateway.subjects.returned import day_of, follow, hide, remove_objects, returned, time_of
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
        self,
        database: Engine,
        store: ArtifactStore,
        log: ErasureLog,
        issuer: Issuer,
        clock: ClockWatch | None = None,
        unreadable: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`unreadable` is told in how many folders of the log receipts cannot be read."""
        self._database = database
        self._store = store
        self._log = log
        self._issuer = issuer
        self._clock = clock or ClockWatch()
        self._unreadable = unreadable
        self._unreadable_of = {"new": 0, "whole": 0}
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
        self._bring_all_back(whole=False)

    def _bring_all_back(self, *, whole: bool) -> None:
        """People are served all the same where some cannot be read; a tenant's own are read again before it signs."""
        folders: tuple[str, ...] = ()
        try:
            bring_all_back(self._database, self._log, whole=whole)
        except ReceiptsUnreadableError as error:
            folders = error.folders
            _LOG.error("%s", error)
        # What is before the chains' heads is read once a day only.
        self._unreadable_of["whole" if whole else "new"] = len(folders)
        self._unreadable(max(self._unreadable_of.values()))

    async def look_through(self) -> None:
        """Once a day, removes what erased subjects got after their erasure: objects, and jobs of the trainer.

        A restored object store has brought them, or a process that was frozen has written them. And holds all copies
        of receipts against the database. Raises as `read`.
        """
        if time.monotonic() < self._late_at:
            return
        folders, objects = await in_erase_thread(remove_objects, self._database, self._store, self._log)
        await in_write_thread(delete_lost_jobs, self._database, older_seconds=_LATE_SECONDS)
        await in_erase_thread(self._bring_all_back, whole=True)
        self._late_at = time.monotonic() + _LATE_SECONDS
        if folders:
            _LOG.warning("removed %d objects of %d subjects that were erased before", objects, folders)

    def _remove_old(self) -> None:
        now = time_of(self._database)
        # By a clock that jumped ahead the whole log would go.
        if self._clock.trusts(now) and (removed := self._log.remove_old(day_of(now))):
            _LOG.info("removed %d entries of the log of erasures at the end of their term", removed)


def replay(engine: Engine, store: ArtifactStore, log: ErasureLog, own: Issuer | None = None) -> Replayed:
    """Erases everybody of whom any entry tells, from the database and from the object store; see `remove_objects`.
    Brings back all receipts that have copies, by keys that the database knows or `own`.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE, OBJECT_STORE_FULL, DATABASE_UNAVAILABLE.
        ReceiptsUnreadableError: RECEIPTS_UNREADABLE: all else is done.
    """
    erased, objects = log.erased(None, day_of(time_of(engine))), 0
    found = returned(engine, erased, subjects.c.erased_at.is_(None))
    for tenant_id, subject_id in found:
        hide(engine, tenant_id, subject_id)
    receipts, unreadable = 0, None
    try:
        receipts = bring_all_back(engine, log, whole=True, own=own)
    except ReceiptsUnreadableError as error:
        unreadable = error
    for tenant_id, subject_id in found:
        objects += erasure.erase(engine, store, log, tenant_id, subject_id)
    folders, without_rows = remove_objects(engine, store, log)
    if unreadable is not None:
        raise unreadable
    return Replayed(len(found), objects + without_rows, folders, receipts)
