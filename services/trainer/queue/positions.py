"""Everybody's place in the queue, looked up once for all who ask at the same time."""

from __future__ import annotations

import asyncio
import time

from headshots.threads import in_thread
from services.trainer.queue import fair_share
from services.trainer.workers.context import Workplace


class Places:
    """A hundred watches wake with each change: one of them reads the queue, and the others take what it has read."""

    def __init__(self, place: Workplace) -> None:
        self._workplace, self._lock = place, asyncio.Lock()
        self._queue = fair_share.Queue((), {}, {}, None)
        self._places: dict[str, int] = {}
        self._ticket: asyncio.Event | None = None
        self._read_at = 0.0

    async def of(self, job_id: str) -> tuple[int, float | None]:
        """How many jobs are ahead of a waiting one, and the seconds until it is done where that can be told.

        As of this process's last change, and of other processes' at most ``poll_seconds`` ago.
        """
        async with self._lock:
            if not self._knows(job_id):
                self._ticket, self._read_at = self._workplace.changes.ticket(), time.monotonic()
                self._queue = await in_thread(fair_share.look, self._workplace.engine)
                self._places = {id: place for place, id in enumerate(self._queue.order())}
        place = self._places.get(job_id, 0)
        return place, self._queue.eta_seconds(place)

    def _knows(self, job_id: str) -> bool:
        is_fresh = time.monotonic() - self._read_at < self._workplace.settings.poll_seconds
        return is_fresh and self._ticket is self._workplace.changes.ticket() and job_id in self._places
