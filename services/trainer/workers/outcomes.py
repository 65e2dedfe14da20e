"""Writes the outcome of a run: every way in which it may end, under the fence of its lease."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

from headshots import leases
from headshots.errors import NotFoundError, UnavailableError
from headshots.leases import Lease
from headshots.schema import CANCELLED, FAILED, PENDING, SUCCEEDED, training_jobs
from headshots.telemetry import spans
from headshots.telemetry.exemplars import observe
from headshots.threads import in_lease_thread, in_thread
from services.trainer.output.adapter_files import remove_artefacts, remove_late
from services.trainer.queue import rows
from services.trainer.queue.job import Failure, Job
from services.trainer.run.messages import Failed, Stopped, Succeeded
from services.trainer.run.retrying_store import with_retries
from services.trainer.workers.context import WorkerContext

log = logging.getLogger(__name__)

T = TypeVar("T")

_DATABASE_PAUSE_SECONDS = 1.0
_LONGEST_RETRY_SECONDS = 60.0
# What only a running job tells.
_NOTHING: dict[str, Any] = {"eta_seconds": None, "phase_message": "", "progress": None}
# Tries to remove a cancelled job's artefacts while the store is unavailable; the pause doubles after each.
CLEANING_TRIES = 8


async def until_available(call: Callable[[], T], job_id: str) -> T:
    """Make a database call, again and again while the database is unavailable."""
    while True:
        try:
            return await in_lease_thread(call)
        except UnavailableError as error:
            log.warning("training %s: trying again: %s", job_id, error.message)
        await asyncio.sleep(_DATABASE_PAUSE_SECONDS)


class OutcomeWriter:
    """Writes the outcome of one run. All methods raise LeaseLostError if another worker has the job by now."""

    def __init__(self, context: WorkerContext, lease: Lease, job: Job) -> None:
        self._context, self._lease, self._job = context, lease, job
        self._started_at = time.monotonic()

    async def write(self, event: Succeeded | Failed | Stopped) -> None:
        """Write the outcome that the run's last event tells."""
        if isinstance(event, Succeeded):
            await self._succeed(event)
        elif isinstance(event, Stopped):
            await self._release(handed_back=self._job.handed_back + 1)
            log.info("training %s: handed back", self._job.id)
        elif event.final:
            await self.fail(event.failure)
        else:
            await self._lose(event.failure)

    async def give_up(self, lost: int) -> None:
        """Fail the job: too many runs were lost with their workers."""
        unknown = Failure("TRAINING_LOST", "its workers were lost, each in the middle of a run")
        await self.fail(_after(self._job.last_failure or unknown, lost))

    async def fail(self, failure: Failure) -> None:
        """Fail the job: another run would fail too, or too many runs were lost."""
        spans.current().fail(failure.reason)
        log.warning("training %s: failed: %s: %s", self._job.id, failure.reason, failure.message)
        if not await self._remove_artefacts():
            prefix = self._job.request.output_prefix
            log.error("training %s: its artefacts under %s could not be removed", self._job.id, prefix)
        await self._end_as_failed(failure)

    async def cancel(self) -> None:
        """Remove artefacts, then cancel the job. If the store is unavailable, release the job to try again later."""
        job, tries = self._job, self._job.cleanings + 1
        if await self._remove_artefacts():
            await self._write(state=CANCELLED, failure_reason=None, failure_message=None, **self._over())
            self._observe(CANCELLED)
            log.info("training %s: cancelled", job.id)
        elif tries < CLEANING_TRIES:
            pause = leases.pause_seconds(self._context.settings.lease_seconds * 2 ** (tries - 1))
            await self._release(not_before=self._context.now + pause, handed_back=job.handed_back + 1, cleanings=tries)
        else:
            await self._end_as_failed(
                Failure(
                    "ARTEFACTS_REMAIN",
                    f"it was cancelled, but the object store did not let its partial artefacts be removed in {tries} "
                    "tries; deleting the subject removes them",
                )
            )

    async def clear_if_erased(self) -> None:
        """After the lease was lost: if the job was erased, remove its artefacts.

        A machine that was suspended may have written once more after the erasure had listed what to remove.
        """
        context, job = self._context, self._job
        try:
            await until_available(lambda: rows.get(context.engine, job.id), job.id)
        except NotFoundError:
            prefix = job.request.output_prefix
            log.warning("training %s: erased; removing what was written late under %s", job.id, prefix)
            try:
                await in_thread(with_retries, lambda: remove_late(context.store, job.request, job.id))
            except UnavailableError as error:
                log.error("training %s: its artefacts under %s could not be removed: %s", job.id, prefix, error.message)

    async def write_started(self) -> None:
        """Write that the run has started."""
        await self._write(started_at=self._context.now, ended_runs=self._lease.attempt - 1)

    async def _succeed(self, event: Succeeded) -> None:
        step, loss = event.curve[-1]
        await self._write(
            state=SUCCEEDED,
            step=step,
            total_steps=step,
            loss=loss,
            curve=event.curve,
            adapter=asdict(event.adapter),
            likeness=event.scores.likeness,
            scores=event.scores.to_json(),
            **self._over(),
        )
        self._observe(SUCCEEDED)
        self._context.metrics.scored(event.scores)
        log.info("training %s: done", self._job.id)

    async def _lose(self, failure: Failure) -> None:
        """A run was lost: release the job for another run after a pause, or fail it after too many."""
        settings, lost = self._context.settings, self._lease.attempt - self._job.handed_back
        spans.current().fail(failure.reason)
        log.warning("training %s: run %d was lost: %s", self._job.id, lost, failure.message)
        if lost >= settings.max_attempts:
            await self.fail(_after(failure, lost))
            return
        pause = min(settings.retry_seconds * 2 ** (lost - 1), _LONGEST_RETRY_SECONDS)
        await self._release(
            not_before=self._context.now + pause, failure_reason=failure.reason, failure_message=failure.message
        )

    async def _remove_artefacts(self) -> bool:
        """Remove partial artefacts, for at most half a lease; returns whether they are gone.

        Raises:
            LeaseLostError: they may be another worker's by now, and were not touched.
        """
        context, job, seconds = self._context, self._job, self._context.settings.lease_seconds
        try:
            # The store knows no fences, so the lease is checked first.
            await in_lease_thread(leases.renew, context.engine, training_jobs, self._lease, ttl_seconds=seconds)
            await in_thread(
                with_retries,
                lambda: remove_artefacts(context.store, job.request, job.id),
                timeout_seconds=seconds / 2,
            )
        except UnavailableError as error:
            log.warning("training %s: not cleaned up: %s", self._job.id, error.message)
            return False
        return True

    async def _end_as_failed(self, failure: Failure) -> None:
        await self._write(state=FAILED, failure_reason=failure.reason, failure_message=failure.message, **self._over())
        self._observe(FAILED)

    async def _release(self, **values: Any) -> None:
        await self._write(state=PENDING, ended_runs=self._lease.attempt, **_NOTHING, **values)

    async def _write(self, **values: Any) -> None:
        """Write under the fence, again and again while the database is unavailable."""
        engine, lease = self._context.engine, self._lease
        await until_available(lambda: leases.update(engine, training_jobs, lease, **values), lease.id)
        self._context.changes.notify()

    def _over(self) -> dict[str, Any]:
        """The columns that every terminal write sets."""
        return {"ended_at": self._context.now, "ended_runs": self._lease.attempt, **_NOTHING}

    def _observe(self, state: str) -> None:
        observe(self._context.metrics.job_seconds.labels(state), time.monotonic() - self._started_at)


def _after(failure: Failure, runs: int) -> Failure:
    """The failure of a job whose runs were lost; its reason is that of the last run."""
    return Failure(failure.reason, f"{runs} runs were lost; the last: {failure.message}")
