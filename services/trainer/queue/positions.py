"""Tells the queue positions of jobs, and reads the queue once for all who ask at the same time."""

from __future__ import annotations

import asyncio
import time

from sqlalchemy.engine import Engine

from headshots.threads import in_read_thread
from services.trainer.queue import fair_share
from services.trainer.queue.wakeup import Wakeup


class QueuePositions:
    """Caches the queue: a change wakes every watch, the first of them reads the queue, the others use what it read."""

    def __init__(self, engine: Engine, changes: Wakeup, poll_seconds: float, foundation_digest: str = "") -> None:
        """``changes`` is notified of changes by this process; ``poll_seconds``: how old other processes' may be."""
        self._engine, self._changes, self._poll_seconds = engine, changes, poll_seconds
        self._foundation_digest = foundation_digest
        self._lock = asyncio.Lock()
        self._queue = fair_share.Queue((), {}, {}, None)
        self._positions: dict[str, int] = {}
        self._next_change: asyncio.Event | None = None
        self._read_at = 0.0

    async def of(self, job_id: str) -> tuple[int, float | None]:
        """The number of jobs ahead of a waiting one, and the seconds until it is done, if known.

        It includes every change by this process, and changes by other processes up to ``poll_seconds`` ago.
        """
        async with self._lock:
            if not self._is_cached(job_id):
                self._next_change, self._read_at = self._changes.event(), time.monotonic()
                self._queue = await in_read_thread(fair_share.read_queue, self._engine, self._foundation_digest)
                self._positions = {id: position for position, id in enumerate(self._queue.order())}
        position = self._positions.get(job_id, 0)
        return position, self._queue.eta_seconds(position)

    def _is_cached(self, job_id: str) -> bool:
        is_fresh = time.monotonic() - self._read_at < self._poll_seconds
        return is_fresh and self._next_change is self._changes.event() and job_id in self._positions
