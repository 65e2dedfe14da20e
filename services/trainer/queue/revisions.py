"""Tells the revisions of watched jobs, and reads them once for all who watch."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterator

from sqlalchemy.engine import Engine

from headshots.threads import in_read_thread
from services.trainer.queue import rows
from services.trainer.queue.wakeup import Wakeup


class WatchedRevisions:
    """A change wakes every watch: the first of them reads the revisions of all watched jobs, the others use those."""

    def __init__(self, engine: Engine, changes: Wakeup, poll_seconds: float) -> None:
        """``changes`` is notified of changes by this process; ``poll_seconds``: how old other processes' may be."""
        self._engine, self._changes, self._poll_seconds = engine, changes, poll_seconds
        self._lock = asyncio.Lock()
        self._watched: Counter[str] = Counter()
        self._asked: frozenset[str] = frozenset()
        self._revisions: dict[str, int] = {}
        self._next_change: asyncio.Event | None = None
        self._read_at = 0.0

    @contextlib.contextmanager
    def watching(self, job_id: str) -> Iterator[None]:
        """Has the job read with the others within the block."""
        self._watched[job_id] += 1
        try:
            yield
        finally:
            self._watched[job_id] -= 1
            if not self._watched[job_id]:
                del self._watched[job_id]

    async def of(self, job_id: str) -> int | None:
        """The revision of a job that is being watched; ``None`` where there is no such job.

        It includes every change by this process, and changes by other processes up to ``poll_seconds`` ago.
        """
        async with self._lock:
            if not self._is_cached(job_id):
                self._next_change, self._read_at = self._changes.event(), time.monotonic()
                self._asked = frozenset(self._watched)
                self._revisions = await in_read_thread(rows.revisions, self._engine, sorted(self._asked))
        return self._revisions.get(job_id)

    def _is_cached(self, job_id: str) -> bool:
        is_fresh = time.monotonic() - self._read_at < self._poll_seconds
        return is_fresh and self._next_change is self._changes.event() and job_id in self._asked
