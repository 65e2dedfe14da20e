"""Erases subjects for good, whatever fails in between."""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy.engine import Engine

from headshots.artifacts import ArtifactStore
from headshots.errors import HeadshotsError
from headshots.threads import in_thread
from services.gateway.peers.interfaces import Generator
from services.gateway.subjects import erasure
from services.gateway.subjects.erasure import Erasure

_LOG = logging.getLogger(__name__)


class Eraser:
    """`delete` for callers, `run` for what is left behind. Several gateways may do the same at once."""

    def __init__(self, database: Engine, store: ArtifactStore, generator: Generator, *, again_seconds: float) -> None:
        self._database = database
        self._store = store
        self._generator = generator
        self._again_seconds = again_seconds

    async def delete(self, tenant: str, subject_id: str) -> int:
        """Erases rows and objects, also the rest of a call that failed half-way; how many objects.

        Raises as `erasure.mark_deleted` and `erasure.erase`.
        """
        adapters = await in_thread(erasure.mark_deleted, self._database, tenant, subject_id)
        removed = await in_thread(erasure.erase, self._database, self._store, tenant, subject_id)
        for sha256 in adapters:
            await self._evict(sha256)
        return removed

    async def _evict(self, adapter_sha256: str) -> None:
        try:
            await self._generator.evict(adapter_sha256)
        except HeadshotsError as error:
            # The adapter's file is gone; what this one caches of it goes with its bounded caches.
            _LOG.warning("a generator may still cache adapter %s: %s", adapter_sha256, error)

    async def run(self) -> None:
        """Sweeps every `again_seconds` until it is cancelled."""
        while True:
            await asyncio.sleep(self._again_seconds)
            try:
                await self.sweep()
            except Exception:  # noqa: BLE001 - whatever it was, what people asked to erase has to go
                _LOG.exception("erasing met a defect; trying again")

    async def sweep(self) -> None:
        """Ends the erasures that a crash or a failing store has cut in two, and forgets those that are through."""
        try:
            erasures = await in_thread(erasure.open_erasures, self._database, grace_seconds=self._again_seconds)
        except HeadshotsError as error:
            _LOG.warning("cannot look for erasures; trying again: %s", error)
            return
        for one in erasures:
            try:
                await self._finish(one)
            except HeadshotsError as error:
                _LOG.warning("subject %s is not erased yet; trying again: %s", one.subject_id, error)

    async def _finish(self, one: Erasure) -> None:
        if not one.is_erased:
            await self.delete(one.tenant_id, one.subject_id)
            return
        late = await in_thread(erasure.forget, self._database, self._store, one.tenant_id, one.subject_id)
        if late:
            _LOG.info("removed %d objects that were stored while subject %s was erased", late, one.subject_id)
