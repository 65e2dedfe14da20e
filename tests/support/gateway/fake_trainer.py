"""A trainer that does no work but speaks the real contract."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from headshots.artifacts import ArtifactStore
from headshots.errors import HeadshotsError, NotFoundError
from headshots.v1 import adapters_pb2, jobs_pb2, trainer_pb2_grpc, trainings_pb2
from headshots.v1 import trainer_pb2 as trainer
from services.trainer.servicer import hold_job, hold_start
from tests.support.gateway.peer import FOUNDATION_DIGEST


class FakeTrainer(trainer_pb2_grpc.TrainerServiceServicer):
    """Each job takes three steps, or as many as it names.

    To be taken it waits for `takes`, to begin for `begins`, a step for `go`. All three are set at first.
    """

    audience = "trainer"

    def __init__(self, store: ArtifactStore) -> None:
        self.store = store
        self.go = asyncio.Event()
        self.go.set()
        self.takes = asyncio.Event()
        self.takes.set()
        self.begins = asyncio.Event()
        self.begins.set()
        self.requests: dict[str, trainer.StartTrainingRequest] = {}
        self.jobs: dict[str, trainer.TrainingJob] = {}
        self.starts: Counter[str] = Counter()
        self.refusal: HeadshotsError | None = None
        """Raised by StartTraining."""
        self.failure: jobs_pb2.Failure | None = None
        """How jobs end, instead of with an adapter."""
        self.sheet = b""
        """A file that is written and told beside each adapter; empty: none."""
        self.lost_answers = 0
        """So many StartTraining calls start the job and then fail, as of a trainer that crashes before it answers."""
        self.fails_cancels = False
        """Whether CancelTrainingJob fails."""
        self.foundation_digest = FOUNDATION_DIGEST
        self.step_seconds = 0.0
        """What a step takes of a job that names its number of steps; others take none."""
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def register(self, server: grpc.aio.Server) -> list[str]:
        trainer_pb2_grpc.add_TrainerServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [trainer.DESCRIPTOR.services_by_name["TrainerService"].full_name]

    async def StartTraining(self, request: trainer.StartTrainingRequest, context: Any) -> trainer.StartTrainingResponse:
        hold_start(request)
        self.starts[request.job_id] += 1
        if self.refusal is not None:
            raise self.refusal
        await self.takes.wait()
        if request.job_id not in self.jobs:
            self.requests[request.job_id] = request
            self.jobs[request.job_id] = trainer.TrainingJob(
                job_id=request.job_id,
                state=jobs_pb2.JOB_STATE_PENDING,
                queue_position=2,
                total_steps=request.options.steps or 3,
            )
            task = asyncio.create_task(self._run(request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if self.lost_answers:
            self.lost_answers -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset")
        return trainer.StartTrainingResponse(job=self.jobs[request.job_id])

    async def DescribeTrainer(
        self, request: trainer.DescribeTrainerRequest, context: Any
    ) -> trainer.DescribeTrainerResponse:
        return trainer.DescribeTrainerResponse(foundation="fake", foundation_digest=self.foundation_digest)

    async def _run(self, request: trainer.StartTrainingRequest) -> None:
        await self.begins.wait()
        if self.jobs[request.job_id].state != jobs_pb2.JOB_STATE_PENDING:
            return
        self.jobs[request.job_id].start_time.GetCurrentTime()
        await self.change_job(request.job_id, state=jobs_pb2.JOB_STATE_RUNNING, queue_position=0, attempt=1)
        for step in range(1, self.jobs[request.job_id].total_steps + 1):
            await self.go.wait()
            if request.options.steps:
                await asyncio.sleep(self.step_seconds)
            job = self.jobs[request.job_id]
            if job.state != jobs_pb2.JOB_STATE_RUNNING:
                return
            job.curve.append(trainings_pb2.LossPoint(step=step, loss=1 / step))
            await self.change_job(request.job_id, step=step, loss=1 / step)
        if self.failure is not None:
            self.jobs[request.job_id].failure.CopyFrom(self.failure)
            await self.change_job(request.job_id, state=jobs_pb2.JOB_STATE_FAILED)
            return
        content = self.weights(request)
        key = f"{request.output_prefix}/adapter.safetensors"
        await self.store.put(key, content)
        others = []
        if self.sheet:
            sheet_key, sha256 = f"{request.output_prefix}/sheet.jpg", hashlib.sha256(self.sheet).hexdigest()
            await self.store.put(sheet_key, self.sheet)
            others = [adapters_pb2.StoredFile(key=sheet_key, sha256=sha256, size_bytes=len(self.sheet))]
        self.jobs[request.job_id].adapter.CopyFrom(
            adapters_pb2.Adapter(
                sha256=hashlib.sha256(content).hexdigest(),
                key=key,
                foundation_digest=self.foundation_digest,
                rank=4,
                trigger="ohwx",
                size_bytes=len(content),
                others=others,
            )
        )
        self.jobs[request.job_id].end_time.GetCurrentTime()
        await self.change_job(request.job_id, state=jobs_pb2.JOB_STATE_SUCCEEDED)

    def weights(self, request: trainer.StartTrainingRequest) -> bytes:
        """The file of the adapter that a training makes."""
        return b"weights of " + b",".join(photo.sha256.encode() for photo in request.photos)

    async def change_job(self, job_id: str, **fields: Any) -> None:
        """Changes a job as its run would, so that watches see it."""
        job = self.jobs[job_id]
        for field, value in fields.items():
            setattr(job, field, value)
        job.revision += 1
        async with self._changed:
            self._changed.notify_all()

    def _job(self, job_id: str) -> trainer.TrainingJob:
        if job_id not in self.jobs:
            raise NotFoundError("JOB_NOT_FOUND", f"there is no job {job_id}")
        return self.jobs[job_id]

    async def GetTrainingJob(
        self, request: trainer.GetTrainingJobRequest, context: Any
    ) -> trainer.GetTrainingJobResponse:
        return trainer.GetTrainingJobResponse(job=self._job(request.job_id))

    async def WatchTrainingJob(
        self, request: trainer.WatchTrainingJobRequest, context: Any
    ) -> AsyncIterator[trainer.WatchTrainingJobResponse]:
        hold_job(request.job_id)
        seen = -1
        while True:
            job = self._job(request.job_id)
            if job.revision != seen:
                seen = job.revision
                yield trainer.WatchTrainingJobResponse(job=job)
            if job.state > jobs_pb2.JOB_STATE_RUNNING:
                return
            async with self._changed:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await self._changed.wait()

    async def CancelTrainingJob(
        self, request: trainer.CancelTrainingJobRequest, context: Any
    ) -> trainer.CancelTrainingJobResponse:
        hold_job(request.job_id)
        job = self._job(request.job_id)
        if self.fails_cancels:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset")
        if job.state <= jobs_pb2.JOB_STATE_RUNNING:
            await self.change_job(request.job_id, state=jobs_pb2.JOB_STATE_CANCELLED)
        return trainer.CancelTrainingJobResponse(job=job)
