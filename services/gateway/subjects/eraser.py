"""Erases subjects, repeats erasures that a crash or a failing store interrupted, and tidies the object store."""

from __future__ import annotations

import asyncio
import logging
import time

from sqlalchemy.engine import Engine

from headshots.artifacts import ArtifactStore
from headshots.database import forget_deleted
from headshots.errors import FailedPreconditionError, HeadshotsError
from headshots.threads import in_erase_thread, in_read_thread, in_thread, in_write_thread
from services.gateway.erasures.issuing import Issuer
from services.gateway.erasures.models import Unfinished
from services.gateway.erasures.rows import open_erasures
from services.gateway.peers.interfaces import Generator
from services.gateway.subjects import erasure
from services.gateway.subjects.erasure import Hidden
from services.gateway.subjects.models import Deletion, Withdrawal

_LOG = logging.getLogger(__name__)
_TIDY_SECONDS = 600.0
"""Between two rounds of tidying, which look at every file of a local store."""
_UNUSED_SECONDS = 60.0
"""A staged file that nobody has written for so long has no writer any more."""


class Eraser:
    """`delete` answers callers, `run` completes erasures. Several gateways may erase the same subject at once."""

    def __init__(
        self, database: Engine, store: ArtifactStore, generator: Generator, issuer: Issuer, *, sweep_seconds: float
    ) -> None:
        self._database = database
        self._store = store
        self._generator = generator
        self._issuer = issuer
        self._sweep_seconds = sweep_seconds
        self._tidy_at = 0.0
        self._evictions: set[asyncio.Task[None]] = set()

    async def delete(self, tenant: str, subject_id: str) -> Deletion:
        """Erases rows and objects, also those that an earlier failed call left.

        The generators are told beside it: one that does not answer holds nobody up, as it will read the tombstones.

        Raises as `erasure.mark_deleted` and `erasure.erase`.
        """
        erasure_id, adapters = await in_write_thread(erasure.mark_deleted, self._database, tenant, subject_id)
        removed = await in_erase_thread(erasure.erase, self._database, self._store, tenant, subject_id)
        for sha256 in adapters:
            eviction = asyncio.create_task(self._evict(sha256))
            self._evictions.add(eviction)
            eviction.add_done_callback(self._evictions.discard)
        return Deletion(erasure_id, removed)

    async def delete_if_idle(self, hidden: Hidden) -> Withdrawal:
        """Erases a subject that was just hidden; where its jobs have to end first, a sweep does.

        Raises as `erasure.erase`.
        """
        try:
            done = await self.delete(hidden.tenant_id, hidden.subject_id)
            return Withdrawal(True, done.deleted_objects, hidden.erasure_id)
        except FailedPreconditionError:
            return Withdrawal(False, 0, hidden.erasure_id)

    async def _evict(self, adapter_sha256: str) -> None:
        try:
            await self._generator.evict(adapter_sha256)
        except HeadshotsError as error:
            _LOG.warning("a generator caches adapter %s until it reads the tombstones: %s", adapter_sha256, error)

    async def run(self) -> None:
        """Sweeps every `sweep_seconds` until it is cancelled; calls to generators end with it."""
        try:
            while True:
                await asyncio.sleep(self._sweep_seconds)
                try:
                    await self.sweep()
                except Exception:  # noqa: BLE001 - whatever it was, erasures have to be completed
                    _LOG.exception("the sweep of erasures met a defect; trying again")
        finally:
            for eviction in self._evictions:
                eviction.cancel()

    async def sweep(self) -> None:
        """Repeats interrupted erasures, completes those whose objects were gone for `sweep_seconds`, and tidies."""
        await self._finish_erasures()
        if time.monotonic() >= self._tidy_at:
            self._tidy_at = time.monotonic() + _TIDY_SECONDS
            await self._tidy()

    async def _tidy(self) -> None:
        """Removes what killed processes left half stored, and tombstones that no generator needs any more.

        Deletions of single photos and new names cut off the database's log when they are committed; where a crash or a
        long reading kept one from it, this does.
        """
        try:
            staged = await in_thread(self._store.remove_staged_sync, unused_seconds=_UNUSED_SECONDS)
            await in_thread(erasure.remove_old_tombstones, self._store, erasure.today())
            await in_thread(forget_deleted, self._database)
        except HeadshotsError as error:
            _LOG.warning("cannot tidy; trying again: %s", error)
            return
        if staged:
            _LOG.info("removed %d objects that killed processes had half stored", staged)

    async def _finish_erasures(self) -> None:
        try:
            erasures = await in_read_thread(open_erasures, self._database, grace_seconds=self._sweep_seconds)
        except HeadshotsError as error:
            _LOG.warning("cannot read erasures; trying again: %s", error)
            return
        for unfinished in erasures:
            try:
                await self._finish(unfinished)
            except HeadshotsError as error:
                _LOG.warning("subject %s is not erased yet; trying again: %s", unfinished.subject_id, error)
            except Exception:  # noqa: BLE001 - one subject's defect holds up no other
                _LOG.exception("subject %s cannot be erased; trying again", unfinished.subject_id)

    async def _finish(self, unfinished: Unfinished) -> None:
        tenant, subject_id = unfinished.tenant_id, unfinished.subject_id
        if not unfinished.is_erased:
            await self.delete(tenant, subject_id)
            return
        late = await in_erase_thread(erasure.complete, self._database, self._store, self._issuer, tenant, subject_id)
        if late:
            _LOG.info("removed %d objects that were stored while subject %s was erased", late, subject_id)
