"""How a worker lets go of a job: every way in which a run may end, written under the run's fence."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

from headshots import leases
from headshots.errors import InvalidArgumentError, NotFoundError, UnavailableError
from headshots.leases import Lease
from headshots.schema import CANCELLED, FAILED, PENDING, SUCCEEDED, training_jobs
from headshots.threads import in_lease_thread, in_thread
from services.trainer.output.adapter_files import remove_artefacts
from services.trainer.output.provenance import provenance_of
from services.trainer.queue import rows
from services.trainer.queue.job import Failure, Job
from services.trainer.run.messages import Failed, Stopped, Succeeded
from services.trainer.run.retrying_store import patiently
from services.trainer.workers.context import Workplace

log = logging.getLogger(__name__)

T = TypeVar("T")

_DATABASE_PAUSE_SECONDS = 1.0
_LONGEST_RETRY_SECONDS = 60.0
# How often a cancelled job's artefacts are tried to be removed, while the store is away; the pauses between double.
CLEANING_TRIES = 8


async def until_it_answers(call: Callable[[], T], what: str) -> T:
    """A call to the database, made for as long as it takes the database to come back."""
    while True:
        try:
            return await in_lease_thread(call)
        except UnavailableError as error:
            log.warning("training %s: trying again: %s", what, error.message)
        await asyncio.sleep(_DATABASE_PAUSE_SECONDS)


class Endings:
    """Of one run of one job. All methods raise LeaseLostError when somebody else has the job by now."""

    def __init__(self, place: Workplace, lease: Lease, job: Job) -> None:
        self._place, self._lease, self._job = place, lease, job
        self._begin = time.monotonic()

    async def settle(self, outcome: Succeeded | Failed | Stopped) -> None:
        """Write down how a run ended."""
        if isinstance(outcome, Succeeded):
            await self._succeed(outcome)
        elif isinstance(outcome, Stopped):
            await self._release(handed_back=self._job.handed_back + 1)
            log.info("training %s: handed back", self._job.id)
        elif outcome.final:
            await self.fail(outcome.failure)
        else:
            await self._lose(outcome.failure)

    async def give_up(self, lost: int) -> None:
        """So many runs were lost that there shall be no other."""
        unknown = Failure("TRAINING_LOST", "its workers were lost, each in the middle of a run")
        await self.fail(_after(self._job.last_failure or unknown, lost))

    async def fail(self, failure: Failure) -> None:
        """Another run would fail as well, or there were enough."""
        log.warning("training %s: failed: %s: %s", self._job.id, failure.reason, failure.message)
        if not await self._cleaned():
            log.error("training %s: what it left under %s stays", self._job.id, self._job.request.output_prefix)
        await self._end_as_failed(failure)

    async def cancel(self) -> None:
        """Remove what runs have left, then say that it is cancelled; while the store is away, try again later."""
        job, tries = self._job, self._job.cleanings + 1
        if await self._cleaned():
            await self._write(state=CANCELLED, failure_reason=None, failure_message=None, **self._over())
            self._observe(CANCELLED)
            log.info("training %s: cancelled", job.id)
        elif tries < CLEANING_TRIES:
            pause = self._place.settings.lease_seconds * 2 ** (tries - 1)
            await self._release(not_before=self._place.now + pause, handed_back=job.handed_back + 1, cleanings=tries)
        else:
            await self._end_as_failed(
                Failure(
                    "ARTEFACTS_REMAIN",
                    f"it was cancelled, but the object store did not let its partial artefacts be removed in {tries} "
                    "tries; deleting the subject removes them",
                )
            )

    async def clear_if_erased(self) -> None:
        """After the lease was lost: where the job was erased, nothing of it may stay.

        A machine that froze and woke may have written once more since the erasure had its last look.
        """
        place, job = self._place, self._job
        try:
            await until_it_answers(lambda: rows.get(place.engine, job.id), job.id)
        except NotFoundError:
            prefix = job.request.output_prefix
            log.warning("training %s: erased; removing what came late under %s", job.id, prefix)
            try:
                await in_thread(patiently, lambda: place.store.delete_prefix_sync(prefix))
            except UnavailableError as error:
                log.error("training %s: what it left under %s stays: %s", job.id, prefix, error.message)

    async def begin(self) -> None:
        """Say that the run has started."""
        await self._write(started_at=self._place.now, ended_runs=self._lease.attempt - 1)

    async def _succeed(self, outcome: Succeeded) -> None:
        step, loss = outcome.curve[-1]
        await self._write(
            state=SUCCEEDED,
            step=step,
            total_steps=step,
            loss=loss,
            curve=outcome.curve,
            adapter=asdict(outcome.adapter),
            likeness=outcome.scores.likeness,
            scores=outcome.scores.to_json(),
            **self._over(),
        )
        self._observe(SUCCEEDED)
        log.info("training %s: done", self._job.id)

    async def _lose(self, failure: Failure) -> None:
        """A run was lost: the next comes after a pause, unless it was the last."""
        settings, lost = self._place.settings, self._lease.attempt - self._job.handed_back
        log.warning("training %s: run %d was lost: %s", self._job.id, lost, failure.message)
        if lost >= settings.max_attempts:
            await self.fail(_after(failure, lost))
            return
        pause = min(settings.retry_seconds * 2 ** (lost - 1), _LONGEST_RETRY_SECONDS)
        await self._release(
            not_before=self._place.now + pause, failure_reason=failure.reason, failure_message=failure.message
        )

    async def _cleaned(self) -> bool:
        """Whether partial artefacts are gone; half a lease is spent on trying.

        Raises:
            LeaseLostError: they may be somebody else's by now, and were not touched.
        """
        place, request, seconds = self._place, self._job.request, self._place.settings.lease_seconds
        try:
            # The store knows no fences, so the lease is made sure of first.
            await in_lease_thread(leases.renew, place.engine, training_jobs, self._lease, ttl_seconds=seconds)
            provenance = provenance_of(place.foundation, place.foundation_digest, request)
            await in_thread(
                patiently,
                lambda: remove_artefacts(place.store, request, provenance),
                patience_seconds=seconds / 2,
            )
        except (UnavailableError, InvalidArgumentError) as error:
            log.warning("training %s: not cleaned up: %s", self._job.id, error.message)
            return False
        return True

    async def _end_as_failed(self, failure: Failure) -> None:
        await self._write(state=FAILED, failure_reason=failure.reason, failure_message=failure.message, **self._over())
        self._observe(FAILED)

    async def _release(self, **values: Any) -> None:
        await self._write(state=PENDING, ended_runs=self._lease.attempt, eta_seconds=None, **values)

    async def _write(self, **values: Any) -> None:
        """Write under the fence, for as long as it takes the database to come back."""
        engine, lease = self._place.engine, self._lease
        await until_it_answers(lambda: leases.update(engine, training_jobs, lease, **values), lease.id)
        self._place.changes.ring()

    def _over(self) -> dict[str, Any]:
        """What every terminal write sets."""
        return {"ended_at": self._place.now, "ended_runs": self._lease.attempt, "eta_seconds": None}

    def _observe(self, state: str) -> None:
        self._place.metrics.job_seconds.labels(state).observe(time.monotonic() - self._begin)


def _after(failure: Failure, runs: int) -> Failure:
    """The failure of a job whose runs were all lost; the reason is the last one's."""
    return Failure(failure.reason, f"{runs} runs were lost; the last: {failure.message}")
