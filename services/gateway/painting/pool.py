"""The pool of workers that paint shots.

The rows are the queue: killing a gateway at any point loses nothing, another (or the same, restarted) claims what it
held once the leases run out, and a shot that was painted twice because of that is recorded once: same seed, same
bytes, same key.
"""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy.engine import Engine

from headshots.pauses import pause
from headshots.threads import in_lease_thread
from services.gateway.events.hub import Hub
from services.gateway.galleries import shots
from services.gateway.metrics import GatewayMetrics
from services.gateway.painting.worker import PaintSettings, ShotWorker, Work

_LOG = logging.getLogger(__name__)


class Painter:
    """Runs from `run` until it is cancelled. `drain` hands unfinished shots back; being cancelled does not."""

    def __init__(
        self,
        engine: Engine,
        worker: ShotWorker,
        hub: Hub,
        metrics: GatewayMetrics,
        settings: PaintSettings,
    ) -> None:
        self._engine = engine
        self._worker = worker
        self._hub = hub
        self._metrics = metrics
        self._settings = settings
        self._kicked = asyncio.Event()
        self._stopping = False
        self._stopped = asyncio.Event()
        self._workers: dict[asyncio.Task[None], Work] = {}
        # Galleries that `look_at` named while a claim was under way, which it could not see.
        self._looked_at: set[str] = set()

    def kick(self) -> None:
        """Look at the queue now."""
        self._kicked.set()

    def look_at(self, gallery_id: str) -> None:
        """Its shots in this process are to be stopped: do not wait for the next heartbeat."""
        self._looked_at.add(gallery_id)
        for work in self._workers.values():
            if work.shot.gallery_id == gallery_id:
                work.look.set()

    async def run(self) -> None:
        """Claims and paints until `drain` (which then looks after what is in flight) or until cancelled."""
        try:
            while not self._stopping:
                if not await self._fill():
                    await pause(self._kicked, self._settings.poll_seconds)
                self._kicked.clear()
        except asyncio.CancelledError:
            for task in self._workers:
                task.cancel()
            await asyncio.gather(*self._workers, return_exceptions=True)
            raise
        finally:
            self._stopped.set()

    async def drain(self, seconds: float) -> None:
        """Claims nothing more; shots that are not finished in time go back to the queue uncounted."""
        self._stopping = True
        self.kick()
        # A claim that is under way still becomes a worker.
        await self._stopped.wait()
        if self._workers:
            await asyncio.wait(list(self._workers), timeout=seconds)
        for task, work in list(self._workers.items()):
            work.draining = True
            task.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    async def _fill(self) -> bool:
        """Whether a shot was started: then there may be more."""
        if len(self._workers) >= self._settings.in_flight:
            return False
        self._looked_at.clear()
        try:
            shot = await in_lease_thread(
                shots.claim, self._engine, owner=self._settings.owner, ttl_seconds=self._settings.lease_seconds
            )
        except Exception:  # noqa: BLE001 - whatever it was, the pool has to live on
            _LOG.exception("cannot claim a shot; trying again")
            return False
        if shot is None:
            return False
        work = Work(shot)
        if shot.gallery_id in self._looked_at:
            work.look.set()
        task = asyncio.create_task(self._worker.work(work))
        self._workers[task] = work
        task.add_done_callback(self._finished)
        self._metrics.shots_in_flight.set(len(self._workers))
        self._hub.changed(shot.gallery_id)
        return True

    def _finished(self, task: asyncio.Task[None]) -> None:
        work = self._workers.pop(task)
        self._metrics.shots_in_flight.set(len(self._workers))
        self._hub.changed(work.shot.gallery_id)
        self.kick()
        if not task.cancelled() and (defect := task.exception()) is not None:
            # The row stays leased and is claimed again when the lease has run out.
            _LOG.error("shot %s was dropped", work.shot.lease.id, exc_info=defect)
