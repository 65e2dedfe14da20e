"""Claims shots and runs a worker for each, a limited number at once.

The rows are the queue. Killing a gateway at any point loses nothing: another one, or the same one restarted, claims its
shots once their leases have run out. A shot that is painted twice because of that is recorded once, as the same seed
gives the same bytes and the same key.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping

from sqlalchemy.engine import Engine

from headshots.pauses import pause
from headshots.telemetry import spans
from headshots.telemetry.origins import resumed
from headshots.threads import in_lease_thread
from services.gateway.events.hub import Hub
from services.gateway.galleries import shots
from services.gateway.galleries.claiming import claim
from services.gateway.metrics import GatewayMetrics
from services.gateway.painting.worker import PaintSettings, RunningShot, ShotWorker
from services.gateway.peers.pools.openness import Openness
from services.gateway.retention.waiting import WorkClock

_LOG = logging.getLogger(__name__)


class ShotPool:
    """Works from `run` until it is cancelled. `drain` puts unfinished shots back; being cancelled does not."""

    def __init__(
        self,
        engine: Engine,
        worker: ShotWorker,
        hub: Hub,
        metrics: GatewayMetrics,
        settings: PaintSettings,
        clock: WorkClock,
        openness: Callable[[Mapping[str, int], int], Openness],
    ) -> None:
        """`openness` tells of which foundations more may be begun, given how many run of each; see `Pools.openness`."""
        self._engine = engine
        self._clock = clock
        self._worker = worker
        self._openness = openness
        self._hub = hub
        self._metrics = metrics
        self._settings = settings
        self._woken = asyncio.Event()
        self._stopping = False
        self._stopped = asyncio.Event()
        self._running: dict[asyncio.Task[None], RunningShot] = {}
        # Galleries that were cancelled while a claim was under way: the shot that it brings may be one of theirs.
        self._cancelled_meanwhile: set[str] = set()

    def wake(self) -> None:
        """Claims at once instead of after the next poll."""
        self._woken.set()

    async def retry_now(self) -> None:
        """Claims at once what waits for a generator that was away, instead of after its pause.

        Raises:
            UnavailableError: DATABASE_UNAVAILABLE.
        """
        await in_lease_thread(shots.end_pauses, self._engine)
        self.wake()

    def stop_shots(self, gallery_id: str) -> None:
        """Stops the shots of a cancelled gallery that run in this process, without waiting for their next renewal."""
        self._cancelled_meanwhile.add(gallery_id)
        for running in self._running.values():
            if running.shot.gallery_id == gallery_id:
                running.renew_now.set()

    async def run(self) -> None:
        """Claims shots until `drain`, which then waits for those in flight, or until it is cancelled."""
        try:
            while not self._stopping:
                if not await self._start_next():
                    await pause(self._woken, self._settings.poll_seconds)
                self._woken.clear()
        except asyncio.CancelledError:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
            raise
        finally:
            self._stopped.set()

    async def drain(self, seconds: float) -> None:
        """Claims no more shots, and puts those that do not finish within `seconds` back, uncounted."""
        self._stopping = True
        self.wake()
        # A claim that is under way still starts its shot.
        await self._stopped.wait()
        if self._running:
            await asyncio.wait(list(self._running), timeout=seconds)
        for task, running in list(self._running.items()):
            running.draining = True
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _start_next(self) -> bool:
        """Claims a shot and starts it; whether there was one, and so may be more."""
        of_each = Counter(running.shot.adapter.foundation_digest for running in self._running.values())
        openness = self._openness(of_each, self._settings.in_flight)
        if openness.is_nothing_open or self._runs_one_that_needs_to_be_alone():
            return False
        self._cancelled_meanwhile.clear()
        try:
            shot = await in_lease_thread(
                claim,
                self._engine,
                owner=self._settings.owner,
                ttl_seconds=self._settings.lease_seconds,
                has_others=bool(self._running),
                openness=openness,
                trusts=self._clock.trusts,
            )
        except Exception:  # noqa: BLE001 - whatever it was, the pool goes on
            _LOG.exception("cannot claim a shot; trying again")
            return False
        if shot is None:
            return False
        running = RunningShot(shot)
        if shot.gallery_id in self._cancelled_meanwhile:
            running.renew_now.set()
        task = asyncio.create_task(self._work(running))
        self._running[task] = running
        task.add_done_callback(self._finished)
        self._metrics.shots_in_flight.set(len(self._running))
        if shot.starts_gallery:
            self._hub.changed(shot.gallery_id)
        return True

    async def _work(self, running: RunningShot) -> None:
        """Paints a shot, as a part of what the call that ordered it has set going."""
        shot = running.shot
        with resumed(shot.origin):
            if shot.lease.attempt == 1:
                spans.span("shot queue", since=shot.ordered_at).end()
            with spans.span("shot", attempt=shot.lease.attempt, number_of_try=shot.tries + 1):
                await self._worker.run(running)

    def _runs_one_that_needs_to_be_alone(self) -> bool:
        return any(running.shot.needs_to_be_alone for running in self._running.values())

    def _finished(self, task: asyncio.Task[None]) -> None:
        shot = self._running.pop(task).shot
        self._metrics.shots_in_flight.set(len(self._running))
        self.wake()
        if not task.cancelled() and (defect := task.exception()) is not None:
            # The row keeps its lease and is claimed again once that has run out.
            _LOG.error("shot %s was dropped", shot.lease.id, exc_info=defect)
