"""The worker: takes one job at a time from the queue, runs it, and writes its outcome."""

from __future__ import annotations

import logging
import os
import socket
import uuid
from collections.abc import Callable

import sqlalchemy as sa

from headshots import leases
from headshots.errors import UnavailableError
from headshots.leases import Lease, LeaseLostError
from headshots.pauses import pause
from headshots.schema import training_jobs
from headshots.telemetry import spans
from headshots.telemetry.origins import current_origin, resumed
from headshots.threads import in_lease_thread
from services.trainer.queue import fair_share, rows
from services.trainer.queue.job import Job
from services.trainer.run.messages import Task
from services.trainer.workers.attempt import Attempt, CancelRequested
from services.trainer.workers.context import WorkerContext
from services.trainer.workers.outcomes import OutcomeWriter, until_available

log = logging.getLogger(__name__)


class Worker:
    """Claims and runs jobs until the service drains."""

    def __init__(self, context: WorkerContext, drain_deadline: Callable[[], float | None]) -> None:
        self._context = context
        self._drain_deadline = drain_deadline
        self.is_busy = False
        self.owner = f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"

    async def run(self) -> None:
        """Work until the service drains."""
        while self._drain_deadline() is None:
            woken = self._context.worker_wakeup.event()
            try:
                lease = await self.claim()
                if lease is not None:
                    await self.work(lease)
                    continue
            except UnavailableError as error:
                log.warning("the queue is unavailable: %s", error.message)
            except LeaseLostError as error:
                log.warning("%s", error.message)
            # A bug must not end the worker: the job's lease runs out, as if the worker had been killed.
            except Exception:
                log.exception("unexpected error in a worker")
            await pause(woken, self._context.settings.poll_seconds)

    async def claim(self, job_id: str | None = None) -> Lease | None:
        """Take the first job of the queue, or ``job_id`` if no worker has it."""
        context, dialect = self._context, self._context.engine.dialect.name
        where = sa.and_(fair_share.claimable_now(dialect), fair_share.is_for(context.foundation_digest))
        if job_id is not None:
            where = sa.and_(where, training_jobs.c.id == job_id)
        return await in_lease_thread(
            leases.claim,
            context.engine,
            training_jobs,
            owner=self.owner,
            ttl_seconds=context.settings.lease_seconds,
            order_by=fair_share.claim_order(dialect),
            where=where,
        )

    async def work(self, lease: Lease) -> None:
        """Run a claimed job to its end, or return it to the queue.

        Raises:
            LeaseLostError: another worker has it by now, or it was erased.
        """
        context = self._context
        job = await until_available(lambda: rows.get(context.engine, lease.id), lease.id)
        outcome = OutcomeWriter(context, lease, job)
        self.is_busy = True
        try:
            with resumed(job.origin):
                if lease.attempt == 1:
                    spans.span("training queue", since=job.created_at).end()
                with spans.span("training", attempt=lease.attempt):
                    await self._run(lease, job, outcome)
        except LeaseLostError:
            await outcome.clear_if_erased()
            raise
        finally:
            self.is_busy = False

    async def _run(self, lease: Lease, job: Job, outcome: OutcomeWriter) -> None:
        context = self._context
        if job.ended_runs < lease.attempt - 1:
            log.warning("training %s: taken over from a lost worker", job.id)
            context.metrics.lease_expired.inc()
        if job.cancel_requested:
            await outcome.cancel()
            return
        lost = lease.attempt - 1 - job.handed_back
        if lost >= context.settings.max_attempts:
            await outcome.give_up(lost)
            return
        await outcome.write_started()
        try:
            last_event = await self._attempt(lease, job).run(self._drain_deadline)
        except CancelRequested:
            await outcome.cancel()
            return
        await outcome.write(last_event)

    def _attempt(self, lease: Lease, job: Job) -> Attempt:
        context, settings, cores = self._context, self._context.settings, self._context.settings.cores
        task = Task(
            job_id=job.id,
            request=job.request,
            foundation=str(settings.foundation),
            foundation_digest=context.foundation_digest,
            foundation_stamp=context.foundation_stamp,
            store_url=settings.store_url,
            device=context.device,
            threads=cores.threads,
            processes=cores.processes,
            checkpoint_seconds=settings.checkpoint_seconds,
            faces=settings.faces,
            faces_dir=str(settings.faces_dir or ""),
            origin=current_origin(),
        )
        return Attempt(
            context.engine,
            lease,
            task,
            lease_seconds=settings.lease_seconds,
            stall_seconds=settings.stall_seconds,
            wakeup=context.worker_wakeup,
            changes=context.changes,
            launch=context.launch,
            metrics=context.metrics,
        )
