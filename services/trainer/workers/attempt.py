"""One run of one job: the child at work, the lease kept alive beside it, its progress written under the fence."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.engine import Engine

from headshots import leases
from headshots.errors import UnavailableError
from headshots.leases import Lease
from headshots.pauses import pause
from headshots.schema import training_jobs
from headshots.threads import in_lease_thread
from services.trainer.metrics import Metrics
from services.trainer.queue.job import Failure
from services.trainer.queue.wakeup import Bell
from services.trainer.run.messages import Event, Failed, Progress, Started, Stopped, Succeeded, Task
from services.trainer.workers.process import ChildProcess

log = logging.getLogger(__name__)

# Steps whose mean tells how long the rest will take.
_ETA_STEPS = 30
# The lease is renewed, and a cancellation from another replica noticed, at least this often.
_LONGEST_BEAT_SECONDS = 1.0


class CancelRequested(Exception):
    """Somebody asked to cancel the job; the child is gone."""


class Attempt:
    """Runs a child to its end. ``calls`` rings for cancellations and for draining; ``changes`` is rung for watchers."""

    def __init__(
        self,
        engine: Engine,
        lease: Lease,
        task: Task,
        *,
        lease_seconds: float,
        stall_seconds: float,
        calls: Bell,
        changes: Bell,
        metrics: Metrics,
        launch: Callable[[Task], Awaitable[ChildProcess]],
    ) -> None:
        self._engine, self._lease, self._task = engine, lease, task
        self._lease_seconds, self._stall_seconds, self._metrics = lease_seconds, stall_seconds, metrics
        self._calls, self._changes, self._launch = calls, changes, launch
        self._beat_seconds = min(_LONGEST_BEAT_SECONDS, lease_seconds / 3)
        self._unwritten: dict[str, Any] = {}
        self._curve: list[tuple[int, float]] = []
        self._recent: deque[float] = deque(maxlen=_ETA_STEPS)
        self._total_steps = 0
        self._heard_at = 0.0

    async def run(self, drain_deadline: Callable[[], float | None]) -> Succeeded | Failed | Stopped:
        """How the run ended. ``drain_deadline``: when a draining service kills the child, by the loop's clock.

        Raises:
            CancelRequested: the job is to be cancelled.
            LeaseLostError: somebody else has the job by now.
        """
        child = await self._launch(self._task)
        log.info("training %s: attempt %d is process %d", self._lease.id, self._lease.attempt, child.pid)
        self._heard_at = asyncio.get_running_loop().time()
        following, keeping = asyncio.create_task(self._follow(child)), asyncio.create_task(self._keep())
        try:
            return await self._attend(child, following, keeping, drain_deadline)
        finally:
            await child.kill()
            following.cancel()
            keeping.cancel()
            await asyncio.gather(following, keeping, return_exceptions=True)

    async def _attend(
        self,
        child: ChildProcess,
        following: asyncio.Task[Succeeded | Failed | Stopped],
        keeping: asyncio.Task[None],
        drain_deadline: Callable[[], float | None],
    ) -> Succeeded | Failed | Stopped:
        """Until the child is done or has to be. Asks no database, so that one that hangs holds nothing up here."""
        told = False
        for task in (following, keeping):
            task.add_done_callback(lambda _: self._calls.ring())
        while True:
            ticket = self._calls.ticket()
            if following.done():
                return following.result()
            if keeping.done():
                keeping.result()
                raise CancelRequested
            deadline, now = drain_deadline(), asyncio.get_running_loop().time()
            if deadline is not None and not told:
                await child.stop()
                told = True
            if deadline is not None and now > deadline:
                log.warning("training %s did not write its checkpoint in time", self._lease.id)
                return Stopped(0)
            if now - self._heard_at > self._stall_seconds:
                return Failed(_stalled(self._stall_seconds), final=False)
            await pause(ticket, self._beat_seconds)

    async def _keep(self) -> None:
        """Keep the lease until somebody asks to cancel the job."""
        while True:
            ticket = self._calls.ticket()
            if await self._beat():
                return
            await pause(ticket, self._beat_seconds)

    async def _follow(self, child: ChildProcess) -> Succeeded | Failed | Stopped:
        """Take in what the child says; returns its last words."""
        async for event in child.events():
            if isinstance(event, Succeeded | Failed | Stopped):
                return event
            self._heard_at = asyncio.get_running_loop().time()
            self._take_in(event)
        raise AssertionError("a child always has a last word")

    def _take_in(self, event: Event) -> None:
        if isinstance(event, Started):
            self._total_steps, self._curve = event.total_steps, list(event.curve)
            self._unwritten |= {"step": event.step, "total_steps": event.total_steps, "curve": self._curve}
        elif isinstance(event, Progress):
            for seconds in event.step_seconds:
                self._metrics.step_seconds.observe(seconds)
            self._recent.extend(event.step_seconds)
            self._curve = [*self._curve, *event.points]
            left = self._total_steps - event.step
            eta = left * sum(self._recent) / len(self._recent)
            self._unwritten |= {"step": event.step, "loss": event.loss, "eta_seconds": eta, "curve": self._curve}

    async def _beat(self) -> bool:
        """Renew the lease and write progress; returns whether to cancel.

        While the database is away the child works on: nobody else can take the job then either.
        """
        values, self._unwritten = self._unwritten, {}
        try:
            cancel = await in_lease_thread(
                leases.renew, self._engine, training_jobs, self._lease, ttl_seconds=self._lease_seconds
            )
            if values:
                await in_lease_thread(leases.update, self._engine, training_jobs, self._lease, **values)
                self._changes.ring()
        except UnavailableError as error:
            log.warning("training %s: progress not written: %s", self._lease.id, error.message)
            self._unwritten = {**values, **self._unwritten}
            return False
        return cancel


def _stalled(seconds: float) -> Failure:
    return Failure(
        "TRAINING_STALLED",
        f"the training's process has said nothing for {seconds:g} s and was killed; where single steps take that long, "
        "raise HEADSHOTS_TRAINER_STALL_SECONDS",
    )
