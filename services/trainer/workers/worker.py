"""Workers: each takes one job at a time from the queue and sees it to an end of some kind."""

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
from headshots.threads import in_lease_thread
from services.trainer.queue import fair_share, rows
from services.trainer.queue.job import Job
from services.trainer.run.messages import Task
from services.trainer.workers.attempt import Attempt, CancelRequested
from services.trainer.workers.context import Workplace
from services.trainer.workers.outcomes import Endings, until_it_answers

log = logging.getLogger(__name__)


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
        where = fair_share.claimable_now(dialect)
        if job_id is not None:
            where = sa.and_(where, training_jobs.c.id == job_id)
        return await in_lease_thread(
            leases.claim,
            place.engine,
            training_jobs,
            owner=self.owner,
            ttl_seconds=place.settings.lease_seconds,
            order_by=fair_share.claim_order(dialect),
            where=where,
        )

    async def work(self, lease: Lease) -> None:
        """Bring a claimed job to an end, or back to the queue.

        Raises:
            LeaseLostError: somebody else has it by now, or it was erased.
        """
        place = self._place
        job = await until_it_answers(lambda: rows.get(place.engine, lease.id), lease.id)
        endings = Endings(place, lease, job)
        try:
            await self._work(lease, job, endings)
        except LeaseLostError:
            await endings.clear_if_erased()
            raise

    async def _work(self, lease: Lease, job: Job, endings: Endings) -> None:
        place = self._place
        if job.ended_runs < lease.attempt - 1:
            log.warning("training %s: taken over from a lost worker", job.id)
            place.metrics.lease_expired.inc()
        if job.cancel_requested:
            await endings.cancel()
            return
        lost = lease.attempt - 1 - job.handed_back
        if lost >= place.settings.max_attempts:
            await endings.give_up(lost)
            return
        await endings.begin()
        try:
            outcome = await self._attempt(lease, job).run(self._drain_deadline)
        except CancelRequested:
            await endings.cancel()
            return
        await endings.settle(outcome)

    def _attempt(self, lease: Lease, job: Job) -> Attempt:
        place, settings, cores = self._place, self._place.settings, self._place.settings.cores
        task = Task(
            job_id=job.id,
            request=job.request,
            foundation=str(settings.foundation),
            foundation_digest=place.foundation_digest,
            foundation_stamp=place.foundation_stamp,
            store_url=settings.store_url,
            device=place.device,
            threads=cores.threads,
            processes=cores.processes,
            checkpoint_seconds=settings.checkpoint_seconds,
            faces=settings.faces,
            faces_dir=str(settings.faces_dir or ""),
        )
        return Attempt(
            place.engine,
            lease,
            task,
            lease_seconds=settings.lease_seconds,
            stall_seconds=settings.stall_seconds,
            calls=place.calls,
            changes=place.changes,
            launch=place.launch,
            metrics=place.metrics,
        )
