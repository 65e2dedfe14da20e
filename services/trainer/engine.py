"""The trainer's engine: jobs are rows, any replica answers for every one, and every replica has workers."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from headshots.leases import LeaseLostError
from headshots.pauses import pause
from headshots.schema import PENDING
from services.trainer.lora.recipe import Recipe
from services.trainer.queue import rows
from services.trainer.queue.job import Job, JobRequest
from services.trainer.queue.positions import Places
from services.trainer.workers.context import Workplace
from services.trainer.workers.worker import Worker

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Description:
    """What this trainer trains on."""

    foundation: str
    foundation_digest: str
    defaults: Recipe
    device: str
    trigger: str


class TrainerEngine:
    """Start, get, watch, cancel, describe; and the workers behind them."""

    def __init__(self, place: Workplace) -> None:
        self._place, self._places = place, Places(place)
        self._deadline: float | None = None
        self._workers: list[asyncio.Task[None]] = []

    async def start(self, job_id: str, tenant: str, priority: int, request: JobRequest) -> Job:
        """Queue a job; the same again answers it as it stands.

        Raises:
            AlreadyExistsError: JOB_ID_TAKEN.
            InvalidArgumentError: FOUNDATION_RECIPE_INVALID.
        """
        Recipe.resolve(self._place.foundation, request.options)
        job = await asyncio.to_thread(rows.insert, self._place.engine, job_id, tenant, priority, request)
        self._place.calls.ring()
        return await self._placed(job)

    async def get(self, job_id: str) -> Job:
        """One job.

        Raises:
            NotFoundError: JOB_NOT_FOUND.
        """
        return await self._placed(await asyncio.to_thread(rows.get, self._place.engine, job_id))

    async def watch(self, job_id: str) -> AsyncGenerator[Job, None]:
        """The job now and on every change, until it is over.

        Raises:
            NotFoundError: JOB_NOT_FOUND.
        """
        seen: Job | None = None
        while True:
            ticket = self._place.changes.ticket()
            job = await self.get(job_id)
            if seen is None or (job.revision, job.queue_place) != (seen.revision, seen.queue_place):
                yield job
            if job.is_over:
                return
            seen = job
            await pause(ticket, self._place.settings.poll_seconds)

    async def cancel(self, job_id: str) -> Job:
        """Ask a job to stop; at once where nobody works on it.

        Raises:
            NotFoundError: JOB_NOT_FOUND.
        """
        job = await asyncio.to_thread(rows.request_cancel, self._place.engine, job_id)
        self._place.calls.ring()
        if not job.is_over:
            # Where it ran before and nobody has it now, what it left is removed here and at once.
            worker = Worker(self._place, lambda: None)
            with contextlib.suppress(LeaseLostError):
                if lease := await worker.claim(job_id):
                    await worker.work(lease)
            job = await asyncio.to_thread(rows.get, self._place.engine, job_id)
        return job

    def describe(self) -> Description:
        """What this trainer trains on."""
        place = self._place
        return Description(
            foundation=place.foundation.name,
            foundation_digest=place.foundation_digest,
            defaults=Recipe.resolve(place.foundation),
            device=place.device,
            trigger=place.foundation.trigger,
        )

    def begin(self) -> None:
        """Start the workers."""
        for _ in range(self._place.settings.workers):
            worker = Worker(self._place, lambda: self._deadline)
            self._workers.append(asyncio.create_task(worker.run()))

    async def drain(self) -> bool:
        """Checkpoint and hand back what runs; returns whether every worker came to its end in time."""
        grace = self._place.settings.drain_seconds
        self._deadline = asyncio.get_running_loop().time() + grace
        self._place.calls.ring()
        if not self._workers:
            return True
        # A second more for handing back what was killed at the deadline.
        _, late = await asyncio.wait(self._workers, timeout=grace + 1.0)
        for worker in late:
            worker.cancel()
        if late:
            # A cancelled worker waits for its thread, which may hang in a database that is away; we do not.
            await asyncio.wait(late, timeout=0.5)
        return not late

    async def _placed(self, job: Job) -> Job:
        """With its place in the queue and the time it will take, while it waits."""
        if job.state != PENDING:
            return job
        place, eta_seconds = await self._places.of(job.id)
        return dataclasses.replace(job, queue_place=place, eta_seconds=eta_seconds)
