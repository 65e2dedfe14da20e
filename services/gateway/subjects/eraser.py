"""Erases subjects, and repeats erasures that a crash or a failing store interrupted."""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy.engine import Engine

from headshots.artifacts import ArtifactStore
from headshots.errors import HeadshotsError
from headshots.threads import in_read_thread, in_thread, in_write_thread
from services.gateway.peers.interfaces import Generator
from services.gateway.subjects import erasure
from services.gateway.subjects.erasure import Erasure

_LOG = logging.getLogger(__name__)


class Eraser:
    """`delete` answers callers, `run` completes erasures. Several gateways may erase the same subject at once."""

    def __init__(self, database: Engine, store: ArtifactStore, generator: Generator, *, sweep_seconds: float) -> None:
        self._database = database
        self._store = store
        self._generator = generator
        self._sweep_seconds = sweep_seconds

    async def delete(self, tenant: str, subject_id: str) -> int:
        """Erases rows and objects, also those that an earlier failed call left; returns how many objects.

        Raises as `erasure.mark_deleted` and `erasure.erase`.
        """
        adapters = await in_write_thread(erasure.mark_deleted, self._database, tenant, subject_id)
        removed = await in_thread(erasure.erase, self._database, self._store, tenant, subject_id)
        for sha256 in adapters:
            await self._evict(sha256)
        return removed

    async def _evict(self, adapter_sha256: str) -> None:
        try:
            await self._generator.evict(adapter_sha256)
        except HeadshotsError as error:
            # The adapter's file is gone, and the generators' caches are bounded: this copy goes with time.
            _LOG.warning("a generator may still cache adapter %s: %s", adapter_sha256, error)

    async def run(self) -> None:
        """Sweeps every `sweep_seconds` until it is cancelled."""
        while True:
            await asyncio.sleep(self._sweep_seconds)
            try:
                await self.sweep()
            except Exception:  # noqa: BLE001 - whatever it was, erasures have to be completed
                _LOG.exception("the sweep of erasures met a defect; trying again")

    async def sweep(self) -> None:
        """Repeats interrupted erasures, and completes those whose objects have been gone for `sweep_seconds`."""
        try:
            erasures = await in_read_thread(erasure.open_erasures, self._database, grace_seconds=self._sweep_seconds)
        except HeadshotsError as error:
            _LOG.warning("cannot read erasures; trying again: %s", error)
            return
        for unfinished in erasures:
            try:
                await self._finish(unfinished)
            except HeadshotsError as error:
                _LOG.warning("subject %s is not erased yet; trying again: %s", unfinished.subject_id, error)

    async def _finish(self, unfinished: Erasure) -> None:
        tenant, subject_id = unfinished.tenant_id, unfinished.subject_id
        if not unfinished.is_erased:
            await self.delete(tenant, subject_id)
            return
        late = await in_thread(erasure.complete, self._database, self._store, tenant, subject_id)
        if late:
            _LOG.info("removed %d objects that were stored while subject %s was erased", late, subject_id)
