"""Workers: each takes one job at a time from the queue and sees it to an end of some kind."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.engine import Engine

from headshots import leases
from headshots.artifacts import ArtifactStore
from headshots.database import now_expression
from headshots.diffusion.foundation import Foundation
from headshots.errors import InvalidArgumentError, UnavailableError
from headshots.leases import Lease, LeaseLostError
from headshots.pauses import pause
from headshots.schema import CANCELLED, FAILED, PENDING, SUCCEEDED, training_jobs
from services.trainer import rows, turns
from services.trainer.attempt import Attempt, CancelRequested
from services.trainer.bell import Bell
from services.trainer.jobs import Failure, Job
from services.trainer.metrics import Metrics
from services.trainer.output import provenance_of, remove_artefacts
from services.trainer.patience import patiently
from services.trainer.process import Child, ChildProcess
from services.trainer.protocol import Failed, Stopped, Succeeded, Task
from services.trainer.settings import TrainerSettings

log = logging.getLogger(__name__)

_DATABASE_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Workplace:
    """What all workers of a service share."""

    engine: Engine
    store: ArtifactStore
    foundation: Foundation
    foundation_digest: str
    # See services.trainer.stamp.
    foundation_stamp: str
    # cpu or cuda.
    device: str
    settings: TrainerSettings
    metrics: Metrics
    # Rings for workers: a new job, a cancellation, the drain, a child's end.
    calls: Bell
    # Rings for those who watch: a row has changed.
    changes: Bell
    # Starts the process of a run.
    launch: Callable[[Task], Awaitable[ChildProcess]] = Child.start

    @property
    def now(self) -> Any:
        """The database's clock, for updates."""
        return now_expression(self.engine.dialect.name)


class Worker:
    """Claims, runs, settles; until it drains."""

    def __init__(self, place: Workplace, drain_deadline: Callable[[], float | None]) -> None:
        self._place = place
        self._drain_deadline = drain_deadline
        self.owner = f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"

    async def run(self) -> None:
        """Work until the service drains."""
        while self._drain_deadline() is None:
            ticket = self._place.calls.ticket()
            try:
                lease = await self.claim()
                if lease is not None:
                    await self.work(lease)
                    continue
            except UnavailableError as error:
                log.warning("the queue is away: %s", error.message)
            except LeaseLostError as error:
                log.warning("%s", error.message)
            # A defect must not end the worker: the job's lease runs out, as if the worker had been killed.
            except Exception:
                log.exception("a worker met a defect")
            await pause(ticket, self._place.settings.poll_seconds)

    async def claim(self, job_id: str | None = None) -> Lease | None:
        """Take the job whose turn it is, or ``job_id`` if nobody has it."""
        place, dialect = self._place, self._place.engine.dialect.name
        where = turns.claimable_now(dialect) if job_id is None else training_jobs.c.id == job_id
        return await asyncio.to_thread(
            leases.claim,
            place.engine,
            training_jobs,
            owner=self.owner,
            ttl_seconds=place.settings.lease_seconds,
            order_by=turns.claim_order(dialect),
            where=where,
        )

    async def work(self, lease: Lease) -> None:
        """Bring a claimed job to an end, or back to the queue.

        Raises:
            LeaseLostError: somebody else has it by now.
        """
        place, begin = self._place, time.monotonic()
        job = await asyncio.to_thread(rows.get, place.engine, lease.id)
        if job.ended_runs < lease.attempt - 1:
            log.warning("training %s: taken over from a lost worker", job.id)
            place.metrics.lease_expired.inc()
        if job.cancel_requested:
            await self._cancel(lease, job, begin)
            return
        lost = lease.attempt - 1 - job.handed_back
        if lost >= place.settings.max_attempts:
            failure = job.last_failure or Failure("TRAINING_LOST", "its workers were lost, each in the middle of a run")
            await self._fail(lease, job, _after(failure, lost), begin)
            return
        await self._write(lease, started_at=place.now, ended_runs=lease.attempt - 1)
        try:
            outcome = await self._attempt(lease, job).run(self._drain_deadline)
        except CancelRequested:
            await self._cancel(lease, job, begin)
            return
        await self._settle(lease, job, outcome, begin)

    def _attempt(self, lease: Lease, job: Job) -> Attempt:
        place, settings = self._place, self._place.settings
        task = Task(
            job_id=job.id,
            request=job.request,
            foundation=str(settings.foundation),
            foundation_digest=place.foundation_digest,
            foundation_stamp=place.foundation_stamp,
            store_url=settings.store_url,
            device=place.device,
            threads=settings.threads_per_worker,
            checkpoint_seconds=settings.checkpoint_seconds,
        )
        return Attempt(
            place.engine,
            lease,
            task,
            lease_seconds=settings.lease_seconds,
            calls=place.calls,
            changes=place.changes,
            launch=place.launch,
            metrics=place.metrics,
        )

    async def _settle(self, lease: Lease, job: Job, outcome: Succeeded | Failed | Stopped, begin: float) -> None:
        """Write down how a run ended."""
        if isinstance(outcome, Succeeded):
            steps = outcome.curve[-1][0]
            await self._write(
                lease,
                state=SUCCEEDED,
                step=steps,
                total_steps=steps,
                loss=outcome.curve[-1][1],
                curve=outcome.curve,
                adapter=asdict(outcome.adapter),
                **self._over(lease),
            )
            self._place.metrics.job_seconds.labels(SUCCEEDED).observe(time.monotonic() - begin)
            log.info("training %s: done", job.id)
        elif isinstance(outcome, Stopped):
            await self._release(lease, handed_back=job.handed_back + 1)
            log.info("training %s: handed back", job.id)
        elif outcome.final:
            await self._fail(lease, job, outcome.failure, begin)
        else:
            await self._lose(lease, job, outcome.failure, begin)

    async def _lose(self, lease: Lease, job: Job, failure: Failure, begin: float) -> None:
        """A run was lost: the next comes after a pause, unless it was the last."""
        settings, lost = self._place.settings, lease.attempt - job.handed_back
        log.warning("training %s: run %d was lost: %s", job.id, lost, failure.message)
        if lost >= settings.max_attempts:
            await self._fail(lease, job, _after(failure, lost), begin)
            return
        pause = settings.retry_seconds * 2 ** (lost - 1)
        await self._release(
            lease,
            not_before=self._place.now + pause,
            failure_reason=failure.reason,
            failure_message=failure.message,
        )

    async def _fail(self, lease: Lease, job: Job, failure: Failure, begin: float) -> None:
        log.warning("training %s: failed: %s: %s", job.id, failure.reason, failure.message)
        if not await self._cleaned(lease, job):
            log.error("training %s: what it left under %s stays", job.id, job.request.output_prefix)
        await self._write(
            lease,
            state=FAILED,
            failure_reason=failure.reason,
            failure_message=failure.message,
            **self._over(lease),
        )
        self._place.metrics.job_seconds.labels(FAILED).observe(time.monotonic() - begin)

    async def _cancel(self, lease: Lease, job: Job, begin: float) -> None:
        """Remove what runs have left, then say that it is cancelled; while the store is away, try again later."""
        if not await self._cleaned(lease, job):
            pause = self._place.settings.lease_seconds
            await self._release(lease, not_before=self._place.now + pause, handed_back=job.handed_back + 1)
            return
        await self._write(lease, state=CANCELLED, **self._over(lease))
        self._place.metrics.job_seconds.labels(CANCELLED).observe(time.monotonic() - begin)
        log.info("training %s: cancelled", job.id)

    async def _cleaned(self, lease: Lease, job: Job) -> bool:
        """Whether partial artefacts are gone; half a lease is spent on trying.

        Raises:
            LeaseLostError: they may be somebody else's by now, and were not touched.
        """
        place, seconds = self._place, self._place.settings.lease_seconds
        try:
            # The store knows no fences, so the lease is made sure of first.
            await asyncio.to_thread(leases.renew, place.engine, training_jobs, lease, ttl_seconds=seconds)
            provenance = provenance_of(place.foundation, place.foundation_digest, job.request)
            await asyncio.to_thread(
                patiently,
                lambda: remove_artefacts(place.store, job.request, provenance),
                patience_seconds=seconds / 2,
            )
        except (UnavailableError, InvalidArgumentError) as error:
            log.warning("training %s: not cleaned up: %s", job.id, error.message)
            return False
        return True

    def _over(self, lease: Lease) -> dict[str, Any]:
        """What every terminal write sets."""
        return {"ended_at": self._place.now, "ended_runs": lease.attempt, "eta_seconds": None}

    async def _release(self, lease: Lease, **values: Any) -> None:
        await self._write(lease, state=PENDING, ended_runs=lease.attempt, eta_seconds=None, **values)

    async def _write(self, lease: Lease, **values: Any) -> None:
        """Write under the fence, for as long as it takes the database to come back."""
        while True:
            try:
                await asyncio.to_thread(leases.update, self._place.engine, training_jobs, lease, **values)
            except UnavailableError as error:
                log.warning("training %s: trying again: %s", lease.id, error.message)
                await asyncio.sleep(_DATABASE_PAUSE_SECONDS)
            else:
                self._place.changes.ring()
                return


def _after(failure: Failure, runs: int) -> Failure:
    """The failure of a job whose runs were all lost; the reason is the last one's."""
    return Failure(failure.reason, f"{runs} runs were lost; the last: {failure.message}")
