"""A trainer and a generator that do no work but speak the real contract behind the real interceptors.

Images are a function of prompt, seed and adapter, as the contract demands, and go to the object store by content.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from PIL import Image
from prometheus_client import CollectorRegistry

from headshots.artifacts import ArtifactStore
from headshots.errors import HeadshotsError, NotFoundError
from headshots.rpc.server import RunningServer, ServerSettings, start_server
from headshots.v1 import adapters_pb2, generator_pb2_grpc, jobs_pb2, trainer_pb2_grpc, trainings_pb2
from headshots.v1 import generator_pb2 as generator
from headshots.v1 import trainer_pb2 as trainer

FOUNDATION_DIGEST = "f0" * 32
NATIVE_PX = 256
TEMPLATE = "{framing} of a {subject}, wearing a {outfit}, {backdrop} background, {lighting}"


async def serve(servicer: FakeTrainer | FakeGenerator, port: int = 0) -> RunningServer:
    """Starts a fake on an ephemeral port, or again on the port it had."""
    return await start_server(servicer.register, ServerSettings(port=port), registry=CollectorRegistry())


class FakeTrainer(trainer_pb2_grpc.TrainerServiceServicer):
    """Jobs take three steps, as soon as `go` is set."""

    def __init__(self, store: ArtifactStore) -> None:
        self.store = store
        self.go = asyncio.Event()
        self.go.set()
        self.requests: dict[str, trainer.StartTrainingRequest] = {}
        self.jobs: dict[str, trainer.TrainingJob] = {}
        self.starts: Counter[str] = Counter()
        self.refusal: HeadshotsError | None = None
        """Raised by StartTraining."""
        self.failure: jobs_pb2.Failure | None = None
        """How jobs end, instead of with an adapter."""
        self.lost_answers = 0
        """So many StartTraining calls start the job and then fail, like a trainer that dies before it answers."""
        self.deaf = False
        """Cancellations fail."""
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def register(self, server: grpc.aio.Server) -> list[str]:
        trainer_pb2_grpc.add_TrainerServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [trainer.DESCRIPTOR.services_by_name["TrainerService"].full_name]

    async def StartTraining(self, request: trainer.StartTrainingRequest, context: Any) -> trainer.StartTrainingResponse:
        self.starts[request.job_id] += 1
        if self.refusal is not None:
            raise self.refusal
        if request.job_id not in self.jobs:
            self.requests[request.job_id] = request
            self.jobs[request.job_id] = trainer.TrainingJob(
                job_id=request.job_id, state=jobs_pb2.JOB_STATE_PENDING, queue_place=2, total_steps=3
            )
            task = asyncio.create_task(self._run(request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if self.lost_answers:
            self.lost_answers -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset")
        return trainer.StartTrainingResponse(job=self.jobs[request.job_id])

    async def _run(self, request: trainer.StartTrainingRequest) -> None:
        await self._set(request.job_id, state=jobs_pb2.JOB_STATE_RUNNING, queue_place=0, attempt=1)
        for step in (1, 2, 3):
            await self.go.wait()
            job = self.jobs[request.job_id]
            if job.state != jobs_pb2.JOB_STATE_RUNNING:
                return
            job.curve.append(trainings_pb2.LossPoint(step=step, loss=1 / step))
            await self._set(request.job_id, step=step, loss=1 / step)
        if self.failure is not None:
            self.jobs[request.job_id].failure.CopyFrom(self.failure)
            await self._set(request.job_id, state=jobs_pb2.JOB_STATE_FAILED)
            return
        content = b"weights of " + b",".join(photo.sha256.encode() for photo in request.photos)
        key = f"{request.output_prefix}/adapter.safetensors"
        await self.store.put(key, content)
        self.jobs[request.job_id].adapter.CopyFrom(
            adapters_pb2.Adapter(
                sha256=hashlib.sha256(content).hexdigest(),
                key=key,
                foundation_digest=FOUNDATION_DIGEST,
                rank=4,
                trigger="ohwx",
                size_bytes=len(content),
            )
        )
        await self._set(request.job_id, state=jobs_pb2.JOB_STATE_SUCCEEDED)

    async def _set(self, job_id: str, **fields: Any) -> None:
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
        job = self._job(request.job_id)
        if self.deaf:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset")
        if job.state <= jobs_pb2.JOB_STATE_RUNNING:
            await self._set(request.job_id, state=jobs_pb2.JOB_STATE_CANCELLED)
        return trainer.CancelTrainingJobResponse(job=job)


def painted(request: generator.GenerateRequest) -> bytes:
    """The PNG that a request gives: a colour that only this prompt, seed and adapter have."""
    digest = hashlib.sha256(f"{request.prompt}|{request.seed}|{request.adapter.sha256}".encode()).digest()
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (digest[0], digest[1], digest[2])).save(out, "PNG")
    return out.getvalue()


class FakeGenerator(generator_pb2_grpc.GeneratorServiceServicer):
    """Two steps and an image; after `hold`, only as many requests finish as `permit` lets."""

    def __init__(self, store: ArtifactStore) -> None:
        self.store = store
        self.requests: list[generator.GenerateRequest] = []
        self.finished: Counter[tuple[str, int]] = Counter()
        """By prompt and seed."""
        self.refusal: HeadshotsError | None = None
        """Raised by every call."""
        self.errors: list[Exception] = []
        """Raised by the next calls, first one first; an InternalError is as good as a crash."""
        self.broken: dict[int, HeadshotsError] = {}
        """Raised by every call with that seed."""
        self.running = 0
        self.most_running = 0
        self.stopped = 0
        """Calls that were cancelled in the middle."""
        self.evicted: list[str] = []
        self.max_rank = 32
        self._permits: asyncio.Semaphore | None = None

    def register(self, server: grpc.aio.Server) -> list[str]:
        generator_pb2_grpc.add_GeneratorServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [generator.DESCRIPTOR.services_by_name["GeneratorService"].full_name]

    def hold(self, permits: int = 0) -> None:
        """From now on only so many requests finish."""
        self._permits = asyncio.Semaphore(permits)

    def permit(self, count: int = 1000) -> None:
        """Lets `count` more requests finish."""
        assert self._permits is not None
        for _ in range(count):
            self._permits.release()

    async def Generate(
        self, request: generator.GenerateRequest, context: Any
    ) -> AsyncIterator[generator.GenerateResponse]:
        self.requests.append(request)
        if self.refusal is not None:
            raise self.refusal
        if self.errors:
            raise self.errors.pop(0)
        if request.seed in self.broken:
            raise self.broken[request.seed]
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        ended = False
        try:
            yield generator.GenerateResponse(queued=generator.Queued(place=0))
            yield generator.GenerateResponse(started=generator.Started(queue_seconds=0.0))
            preview = b"\xff\xd8 a glimpse" if request.preview_every else b""
            yield generator.GenerateResponse(step=generator.StepDone(step=1, total_steps=2, preview=preview))
            if self._permits is not None:
                await self._permits.acquire()
            content = painted(request)
            sha256 = hashlib.sha256(content).hexdigest()
            key = f"{request.output_prefix}/{sha256}.png"
            await self.store.put(key, content)
            self.finished[request.prompt, request.seed] += 1
            ended = True
            yield generator.GenerateResponse(
                image=generator.GeneratedImage(
                    key=key,
                    sha256=sha256,
                    size_bytes=len(content),
                    content_type="image/png",
                    width_px=8,
                    height_px=8,
                    seed=request.seed,
                )
            )
        finally:
            self.running -= 1
            self.stopped += 0 if ended else 1

    async def DescribeGenerator(
        self, request: generator.DescribeGeneratorRequest, context: Any
    ) -> generator.DescribeGeneratorResponse:
        return generator.DescribeGeneratorResponse(
            foundation="fake",
            foundation_digest=FOUNDATION_DIGEST,
            max_rank=self.max_rank,
            native_width_px=NATIVE_PX,
            native_height_px=NATIVE_PX,
            prompt_template=TEMPLATE,
            trigger="sks",
        )

    async def EvictAdapter(
        self, request: generator.EvictAdapterRequest, context: Any
    ) -> generator.EvictAdapterResponse:
        self.evicted.append(request.sha256)
        return generator.EvictAdapterResponse(evicted=True)
