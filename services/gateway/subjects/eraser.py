"""Erases subjects, repeats erasures that a crash or a failing store interrupted, and tidies the object store."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from sqlalchemy.engine import Engine

from headshots.artifacts import ArtifactStore
from headshots.database import compact, forget_deleted, write
from headshots.errors import FailedPreconditionError, HeadshotsError, NotFoundError
from headshots.threads import in_erase_thread, in_read_thread, in_thread, in_write_thread
from services.gateway.erasures import recording, tombstones
from services.gateway.erasures.entries import copy_receipts, leave_entry
from services.gateway.erasures.issuing import Issuer
from services.gateway.erasures.log import ErasureLog
from services.gateway.erasures.models import Unfinished
from services.gateway.erasures.restoring import bring_back
from services.gateway.erasures.rows import open_erasures
from services.gateway.peers.evictions import UNRESOLVED, Eviction, together
from services.gateway.peers.interfaces import Generator
from services.gateway.subjects import erasure
from services.gateway.subjects.erasure import Hidden
from services.gateway.subjects.models import Deletion, Withdrawal

_LOG = logging.getLogger(__name__)
_TIDY_SECONDS = 600.0
"""Between two rounds of tidying, which look at every file of a local store."""
_ASKED_AT_ONCE = 8
"""Subjects whose adapters generators are asked for at once: one that is frozen takes ten seconds."""
_UNUSED_SECONDS = 60.0
"""A staged file that nobody has written for so long has no writer any more."""


class Eraser:
    """`delete` answers callers, `run` completes erasures. Several gateways may erase the same subject at once."""

    def __init__(
        self,
        database: Engine,
        store: ArtifactStore,
        generator: Generator,
        issuer: Issuer,
        *,
        sweep_seconds: float,
        log: ErasureLog | None = None,
        forget: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`log`: by default in `store`. `forget` drops what this process has cached of a subject."""
        self._database = database
        self._store = store
        self._generator = generator
        self._issuer = issuer
        self._sweep_seconds = sweep_seconds
        self._log = log or ErasureLog(store)
        self._forget = forget
        self._tidy_at = 0.0
        self._evictions: set[asyncio.Task[Eviction]] = set()

    async def delete(self, tenant: str, subject_id: str) -> Deletion:
        """Erases rows and objects, also those that an earlier failed call left.

        The generators are told beside it: one that does not answer holds nobody up, as it will read the tombstones.

        Raises as `erasure.mark_deleted` and `erasure.erase`.
        """
        erasure_id, adapters = await in_write_thread(erasure.mark_deleted, self._database, tenant, subject_id)
        removed = await in_erase_thread(erasure.erase, self._database, self._store, self._log, tenant, subject_id)
        self._forget(subject_id)
        for sha256 in adapters:
            self._asking(self._evict(sha256))
        return Deletion(erasure_id, removed)

    async def delete_if_idle(self, hidden: Hidden) -> Withdrawal:
        """Erases a subject that was just hidden; where its jobs have to end first, a sweep does.

        Raises as `erasure.erase`.
        """
        tenant, subject_id = hidden.tenant_id, hidden.subject_id
        # Also where jobs have to end first, no backup shall bring it back.
        await in_erase_thread(leave_entry, self._database, self._log, tenant, subject_id)
        try:
            done = await self.delete(tenant, subject_id)
            return Withdrawal(True, done.deleted_objects, hidden.erasure_id)
        except FailedPreconditionError:
            return Withdrawal(False, 0, hidden.erasure_id)
        except NotFoundError:
            # A sweep was quicker.
            return Withdrawal(True, 0, hidden.erasure_id)

    def _asking(self, call: Coroutine[Any, Any, Eviction]) -> asyncio.Task[Eviction]:
        """A call to generators, which ends with `run`."""
        eviction = asyncio.create_task(call)
        self._evictions.add(eviction)
        eviction.add_done_callback(self._evictions.discard)
        return eviction

    async def _evict(self, adapter_sha256: str) -> Eviction:
        try:
            return await self._generator.evict(adapter_sha256)
        except HeadshotsError as error:
            _LOG.warning("generators keep adapter %s until they read the tombstones: %s", adapter_sha256[:12], error)
            return Eviction(silent=frozenset({UNRESOLVED}))

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

    async def sweep(self, *, completing: bool = True) -> None:
        """Repeats interrupted erasures, completes those whose objects were gone for `sweep_seconds`, and tidies.

        Without `completing` it waits for no generator, and signs no receipt.
        """
        await self._finish_erasures(completing)
        if completing:
            # Those that a killed gateway has signed, and those of before there were copies.
            await self._copy_receipts()
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
            await in_thread(tombstones.remove_old, self._store, tombstones.today())
            await in_thread(forget_deleted, self._database)
        except HeadshotsError as error:
            _LOG.warning("cannot tidy; trying again: %s", error)
            return
        if staged:
            _LOG.info("removed %d objects that killed processes had half stored", staged)

    async def _finish_erasures(self, completing: bool) -> None:
        grace = self._sweep_seconds if completing else float("inf")
        try:
            found = await in_read_thread(open_erasures, self._database, grace_seconds=grace)
            erasures = await self._compacted(found)
            adapters = await in_thread(tombstones.adapters_of, self._store, erasures)
        except HeadshotsError as error:
            _LOG.warning("cannot read erasures; trying again: %s", error)
            return
        asked = asyncio.Semaphore(_ASKED_AT_ONCE)
        evictions = {
            subject_id: self._asking(self._evict_all(digests, asked)) for subject_id, digests in adapters.items()
        }
        for unfinished in erasures:
            try:
                await self._finish(unfinished, evictions.get(unfinished.subject_id))
            except HeadshotsError as error:
                _LOG.warning("subject %s is not erased yet; trying again: %s", unfinished.subject_id, error)
            except Exception:  # noqa: BLE001 - one subject's defect holds up no other
                _LOG.exception("subject %s cannot be erased; trying again", unfinished.subject_id)

    async def _compacted(self, erasures: list[Unfinished]) -> list[Unfinished]:
        """Rewrites the database once for all that can be completed, whose rows are gone; those that can go on now."""
        if not any(each.is_erased for each in erasures):
            return erasures
        try:
            await in_erase_thread(compact, self._database)
        except HeadshotsError as error:
            _LOG.warning("cannot rewrite the database, so no erasure is completed; trying again: %s", error)
            return [each for each in erasures if not each.is_erased]
        return erasures

    async def _evict_all(self, adapters: Iterable[str], asked: asyncio.Semaphore) -> Eviction:
        """Asks again: what a generator confirms now, it has not got back since it was told of the erasure."""
        async with asked:
            return together([await self._evict(sha256) for sha256 in sorted(adapters)])

    async def _finish(self, unfinished: Unfinished, eviction: asyncio.Task[Eviction] | None) -> None:
        tenant, subject_id = unfinished.tenant_id, unfinished.subject_id
        if eviction is None:
            # A store that was away may have taken none yet, and jobs may have to end before it is erased.
            await in_erase_thread(leave_entry, self._database, self._log, tenant, subject_id)
            await self.delete(tenant, subject_id)
            return
        asked = await eviction
        await in_erase_thread(self._note_replicas, subject_id, sorted(asked.confirmed), sorted(asked.silent))
        # The database may have been restored since the log was followed, and would give numbers again.
        await in_erase_thread(self._bring_receipts_back, tenant)
        late = await in_erase_thread(erasure.complete, self._database, self._store, self._issuer, tenant, subject_id)
        await self._copy_receipts()
        if late:
            _LOG.info("removed %d objects that were stored while subject %s was erased", late, subject_id)

    async def _copy_receipts(self) -> None:
        try:
            await in_erase_thread(copy_receipts, self._database, self._log)
        except HeadshotsError as error:
            _LOG.warning("receipts are not copied to the log of erasures; trying again: %s", error)

    def _bring_receipts_back(self, tenant: str) -> None:
        self._issuer.publish_key(self._database)
        bring_back(self._database, self._log, tenant)

    def _note_replicas(self, subject_id: str, confirmed: list[str], silent: list[str]) -> None:
        with write(self._database) as connection:
            recording.note_replicas(connection, subject_id, confirmed, silent)
