"""Reads which adapters were erased, and has this generator forget its copies of them.

The gateway leaves a tombstone in the object store before it removes an adapter's object. It also calls `EvictAdapter`,
but a generator may be switched off then, or frozen. A tombstone is no ban: the same file may be stored again, for
somebody else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta

from headshots.artifacts import ArtifactStore
from headshots.errors import FailedPreconditionError, HeadshotsError
from headshots.stores import tombstones
from services.generator.adapters.tiers import AdapterCache

log = logging.getLogger(__name__)

_DAY = timedelta(days=1)
_FIRST_PAUSE_SECONDS = 1.0
"""Between two tries of the first reading."""


class ErasedAdapters:
    """Used from one event loop. ``evict`` forgets one adapter, on every tier and in the slots."""

    def __init__(
        self, store: ArtifactStore, adapters: AdapterCache, evict: Callable[[str], Awaitable[object]], *, seconds: float
    ) -> None:
        """``seconds`` between two readings of :meth:`run`."""
        self._store = store
        self._adapters = adapters
        self._evict = evict
        self._seconds = seconds
        self._known: set[str] = set()
        self._owed: set[str] = set()
        self._read_on: date | None = None

    async def run(self) -> None:
        """Read every ``seconds`` until it is cancelled."""
        while True:
            await asyncio.sleep(self._seconds)
            try:
                await self.read()
            except HeadshotsError as error:
                log.warning("cannot read which adapters were erased; trying again: %s", error)
            except Exception:
                log.exception("reading which adapters were erased met a defect; trying again")

    async def read_first(self) -> None:
        """Read, again and again while the object store is unavailable: nothing may be served before."""
        while True:
            try:
                await self.read()
            except HeadshotsError as error:
                log.warning("not serving before it is known which adapters were erased; trying again: %s", error)
            else:
                return
            await asyncio.sleep(_FIRST_PAUSE_SECONDS)

    async def read(self) -> None:
        """Read the tombstones that are new since the last reading and forget their adapters.

        One that a request uses is tried again at the next reading. So is one that was loaded after its tombstone was
        written and before its object was removed.

        Raises:
            UnavailableError: OBJECT_STORE_UNAVAILABLE.
        """
        today = datetime.now(UTC).date()
        found = {key: tombstone for key in await self._list(today) if (tombstone := tombstones.read_key(key))}
        self._owed |= {tombstone.sha256 for key, tombstone in found.items() if key not in self._known}
        digests = {tombstone.sha256 for tombstone in found.values()}
        self._adapters.erased = digests | self._owed
        self._owed |= {sha256 for sha256 in digests if await self._adapters.is_orphaned(sha256)}
        self._known, self._read_on = set(found), today
        for sha256 in sorted(self._owed):
            try:
                await self._evict(sha256)
            except FailedPreconditionError as error:
                log.info("adapter %s was erased and is forgotten later: %s", sha256[:12], error)
            else:
                self._owed.discard(sha256)

    async def _list(self, today: date) -> list[str]:
        """Keys of all tombstones at first, then of those that can be new: clocks may differ by less than a day."""
        if self._read_on is None:
            return await self._store.list(tombstones.FOLDER)
        first = self._read_on - _DAY
        days = [first + number * _DAY for number in range((today + _DAY - first).days + 1)]
        return [key for day in days for key in await self._store.list(tombstones.day_folder(day))]
