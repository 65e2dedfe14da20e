"""Runs one attempt of a job: starts the child process, renews the lease, and writes progress under its fence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.engine import Engine

from headshots import leases
from headshots.errors import UnavailableError
from headshots.leases import Lease
from headshots.pauses import pause
from headshots.schema import training_jobs
from headshots.telemetry.exemplars import observe
from headshots.threads import in_lease_thread
from services.trainer.metrics import Metrics
from services.trainer.progress.estimates import Estimates
from services.trainer.progress.phases import Entered
from services.trainer.queue.job import Failure
from services.trainer.queue.wakeup import Wakeup
from services.trainer.run.messages import Event, Failed, Progress, Started, Stopped, Succeeded, Task
from services.trainer.workers.process import ChildProcess

log = logging.getLogger(__name__)

# The lease is renewed, and a cancellation from another replica noticed, at least this often.
_MAX_RENEWAL_SECONDS = 1.0


class CancelRequested(Exception):
    """The job is to be cancelled; the child process is gone."""


class Attempt:
    """Runs a child process to its end.

    ``wakeup`` is notified of cancellations and of draining by others; ``changes`` is notified here, for watchers.
    """

    def __init__(
        self,
        engine: Engine,
        lease: Lease,
        task: Task,
        *,
        lease_seconds: float,
        stall_seconds: float,
        wakeup: Wakeup,
        changes: Wakeup,
        metrics: Metrics,
        launch: Callable[[Task], Awaitable[ChildProcess]],
    ) -> None:
        self._engine, self._lease, self._task = engine, lease, task
        self._lease_seconds, self._stall_seconds, self._metrics = lease_seconds, stall_seconds, metrics
        self._wakeup, self._changes, self._launch = wakeup, changes, launch
        self._renewal_seconds = min(_MAX_RENEWAL_SECONDS, lease_seconds / 3)
        self._unwritten: dict[str, Any] = {}
        self._curve: list[tuple[int, float]] = []
        self._estimates = Estimates()
        self._last_event_at = 0.0

    async def run(self, drain_deadline: Callable[[], float | None]) -> Succeeded | Failed | Stopped:
        """Run to the end; returns how it ended.

        ``drain_deadline``: when a draining service kills the child process, by the event loop's clock; None: no drain.

        Raises:
            CancelRequested: the job is to be cancelled.
            LeaseLostError: another worker has the job by now.
        """
        child = await self._launch(self._task)
        log.info("training %s: attempt %d is process %d", self._lease.id, self._lease.attempt, child.pid)
        self._last_event_at = asyncio.get_running_loop().time()
        reading = asyncio.create_task(self._read_events(child))
        renewing = asyncio.create_task(self._renew_until_cancelled())
        try:
            return await self._supervise(child, reading, renewing, drain_deadline)
        finally:
            await child.kill()
            reading.cancel()
            renewing.cancel()
            await asyncio.gather(reading, renewing, return_exceptions=True)

    async def _supervise(
        self,
        child: ChildProcess,
        reading: asyncio.Task[Succeeded | Failed | Stopped],
        renewing: asyncio.Task[None],
        drain_deadline: Callable[[], float | None],
    ) -> Succeeded | Failed | Stopped:
        """Wait until the child process ends, or has to end. Makes no database call: one that hangs would delay this."""
        is_stopping = False
        for task in (reading, renewing):
            task.add_done_callback(lambda _: self._wakeup.notify())
        while True:
            woken = self._wakeup.event()
            if reading.done():
                return reading.result()
            if renewing.done():
                renewing.result()
                raise CancelRequested
            deadline, now = drain_deadline(), asyncio.get_running_loop().time()
            if deadline is not None and not is_stopping:
                await child.stop()
                is_stopping = True
            if deadline is not None and now > deadline:
                log.warning("training %s did not write its checkpoint in time", self._lease.id)
                return Stopped(0)
            if now - self._last_event_at > self._stall_seconds:
                return Failed(_stalled(self._stall_seconds), final=False)
            await pause(woken, self._renewal_seconds)

    async def _renew_until_cancelled(self) -> None:
        """Renew the lease until the job is to be cancelled."""
        while True:
            woken = self._wakeup.event()
            if await self._renew():
                return
            await pause(woken, self._renewal_seconds)

    async def _read_events(self, child: ChildProcess) -> Succeeded | Failed | Stopped:
        """Record the child process's events; returns the last one."""
        async for event in child.events():
            if isinstance(event, Succeeded | Failed | Stopped):
                return event
            self._last_event_at = asyncio.get_running_loop().time()
            self._record(event)
        raise AssertionError("a child process always has a last event")

    def _record(self, event: Event) -> None:
        told, now = self._estimates, self._last_event_at
        if isinstance(event, Entered):
            told.entered(event, now)
            self._unwritten |= {"phase_message": event.message}
        elif isinstance(event, Started):
            told.started(event.step, event.total_steps, event.judged_after, event.judging_work, now)
            self._curve = list(event.curve)
            self._unwritten |= {"step": event.step, "total_steps": event.total_steps, "curve": self._curve}
            self._unwritten |= {"phase_message": ""}
        elif isinstance(event, Progress):
            for seconds in event.step_seconds:
                observe(self._metrics.step_seconds, seconds)
            told.stepped(event.step, event.step_seconds, now)
            self._curve = [*self._curve, *event.points]
            self._unwritten |= {"step": event.step, "loss": event.loss, "curve": self._curve}
        progress = told.progress
        self._unwritten |= {"eta_seconds": told.eta_seconds, "progress": progress.to_json() if progress else None}

    async def _renew(self) -> bool:
        """Renew the lease and write progress; returns whether to cancel.

        While the database is unavailable the child process continues: nobody else can take the job then either.
        """
        values, self._unwritten = self._unwritten, {}
        try:
            cancel = await in_lease_thread(
                leases.renew, self._engine, training_jobs, self._lease, ttl_seconds=self._lease_seconds
            )
            if values:
                await in_lease_thread(leases.update, self._engine, training_jobs, self._lease, **values)
                self._changes.notify()
        except UnavailableError as error:
            log.warning("training %s: progress not written: %s", self._lease.id, error.message)
            self._unwritten = {**values, **self._unwritten}
            return False
        return cancel


def _stalled(seconds: float) -> Failure:
    return Failure(
        "TRAINING_STALLED",
        f"the training's process has sent nothing for {seconds:g} s and was killed; where single steps take that long, "
        "raise HEADSHOTS_TRAINER_STALL_SECONDS",
    )
