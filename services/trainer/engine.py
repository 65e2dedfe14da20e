"""The trainer's engine: starts, watches and cancels jobs, and runs the workers.

Jobs are rows of the database: every replica answers for all jobs, and has workers of its own.
"""

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
from headshots.threads import in_read_thread, in_write_thread
from services.trainer.lora.recipe import Recipe
from services.trainer.queue import rows
from services.trainer.queue.job import Job, JobRequest
from services.trainer.queue.positions import QueuePositions
from services.trainer.queue.revisions import WatchedRevisions
from services.trainer.workers.context import WorkerContext
from services.trainer.workers.worker import Worker

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Description:
    """The foundation, the defaults and the device of this trainer."""

    foundation: str
    foundation_digest: str
    defaults: Recipe
    device: str
    trigger: str


class TrainerEngine:
    """Answers the servicer, and owns the workers."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._positions = QueuePositions(
            context.engine, context.changes, context.settings.poll_seconds, context.foundation_digest
        )
        self._revisions = WatchedRevisions(context.engine, context.changes, context.settings.poll_seconds)
        self._deadline: float | None = None
        self._workers = [Worker(context, lambda: self._deadline) for _ in range(context.settings.workers)]
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, job_id: str, tenant: str, priority: int, request: JobRequest) -> Job:
        """Queue a job; with the same id and request again, return the job as it is.

        Raises:
            AlreadyExistsError: JOB_ID_TAKEN.
            InvalidArgumentError: FOUNDATION_RECIPE_INVALID.
        """
        Recipe.resolve(self._context.foundation, request.options)
        digest = self._context.foundation_digest
        job = await in_write_thread(rows.insert, self._context.engine, job_id, tenant, priority, request, digest)
        await self._take_over(job_id)
        self._context.worker_wakeup.notify()
        return await self._with_position(job)

    async def get(self, job_id: str) -> Job:
        """One job.

        Raises:
            NotFoundError: JOB_NOT_FOUND.
        """
        return await self._with_position(await in_read_thread(rows.get, self._context.engine, job_id))

    async def watch(self, job_id: str) -> AsyncGenerator[Job, None]:
        """Yield the job now and after every change, until it is over.

        Raises:
            NotFoundError: JOB_NOT_FOUND.
        """
        seen: Job | None = None
        await self._take_over(job_id)
        with self._revisions.watching(job_id):
            while True:
                changed = self._context.changes.event()
                is_same = seen is not None and await self._revisions.of(job_id) == seen.revision
                # A job that has not changed may still have moved up in the queue.
                job = await self._with_position(seen) if seen is not None and is_same else await self.get(job_id)
                if seen is None or (job.revision, job.queue_position) != (seen.revision, seen.queue_position):
                    yield job
                if job.is_over:
                    return
                seen = job
                await pause(changed, self._context.settings.poll_seconds)

    async def cancel(self, job_id: str) -> Job:
        """Cancel a job; at once where no worker has it.

        Raises:
            NotFoundError: JOB_NOT_FOUND.
        """
        await self._take_over(job_id)
        job = await in_write_thread(rows.request_cancel, self._context.engine, job_id)
        self._context.worker_wakeup.notify()
        if not job.is_over:
            # A job that ran before and has no worker now: its artefacts are removed here.
            worker = Worker(self._context, lambda: None)
            with contextlib.suppress(LeaseLostError):
                if lease := await worker.claim(job_id):
                    await worker.work(lease)
            job = await in_read_thread(rows.get, self._context.engine, job_id)
        return job

    async def _take_over(self, job_id: str) -> None:
        """Who asks these trainers about a job means them to do it, though others were asked first.

        As where the foundation was replaced while the job waited: nobody else would claim it.
        """
        await in_write_thread(rows.take_over, self._context.engine, job_id, self._context.foundation_digest)

    def describe(self) -> Description:
        """What this trainer trains on."""
        context = self._context
        return Description(
            foundation=context.foundation.name,
            foundation_digest=context.foundation_digest,
            defaults=Recipe.resolve(context.foundation),
            device=context.device,
            trigger=context.foundation.trigger,
        )

    def begin(self) -> None:
        """Start the workers."""
        self._tasks = [asyncio.create_task(worker.run()) for worker in self._workers]

    def running(self) -> int:
        """Trainings that its workers have now; may be called from any thread."""
        return sum(worker.is_busy for worker in self._workers)

    async def drain(self) -> bool:
        """Let runs write checkpoints and hand their jobs back; returns whether every worker ended in time."""
        grace = self._context.settings.drain_seconds
        self._deadline = asyncio.get_running_loop().time() + grace
        self._context.worker_wakeup.notify()
        if not self._tasks:
            return True
        # A second more to hand back the jobs whose processes were killed at the deadline.
        _, late = await asyncio.wait(self._tasks, timeout=grace + 1.0)
        for worker in late:
            worker.cancel()
        if late:
            # A cancelled worker waits for its thread, which may hang in a database call; this does not.
            await asyncio.wait(late, timeout=0.5)
        return not late

    async def _with_position(self, job: Job) -> Job:
        """``job`` with its queue position and expected time, while it waits."""
        if job.state != PENDING:
            return job
        position, eta_seconds = await self._positions.of(job.id)
        return dataclasses.replace(job, queue_position=position, eta_seconds=eta_seconds)
