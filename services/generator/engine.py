"""Runs requests: plans, prepares and queues each, and answers its events. Knows nothing of protobuf or gRPC."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import numpy as np

from headshots.artifacts import ArtifactStore
from headshots.diffusion.backends.base import Backend, UNetBatch
from headshots.diffusion.package import EnginePackage
from headshots.errors import HeadshotsError, InternalError, InvalidArgumentError, UnavailableError
from headshots.faces import FaceAnalyzer
from headshots.pauses import pause
from services.generator.adapters.held import HeldAdapters, held_adapters
from services.generator.adapters.tiers import AdapterCache
from services.generator.batching.jobs import Failed, Job, JobEvent
from services.generator.batching.loop import BatchLoop
from services.generator.batching.scheduler import Ticket
from services.generator.images import encoding
from services.generator.images.decoder import Decoded
from services.generator.images.marking import Marker
from services.generator.images.writer import ImageWriter
from services.generator.metrics import Metrics
from services.generator.requests.checking import RequestCheck, RequestChecker
from services.generator.requests.plan import Plan
from services.generator.requests.preparing import Preparer
from services.generator.requests.request import Event, GenerationRequest, Queued
from services.generator.requests.source_images import SourceReader

log = logging.getLogger(__name__)
_REPORT_QUEUE_SECONDS = 30.0
"""A request that waits for longer is told its queue position again: its caller sees that the engine is alive."""
_ROWS_OF_AN_IMAGE = 2
"""Rows that an image with guidance takes; with fewer in a call, nothing with guidance could ever start."""


@dataclass(frozen=True)
class EngineLimits:
    """``max_rows`` of a UNet call (0: the package's, else at least 2), ``max_waiting`` requests in the queue."""

    max_rows: int = 0
    max_waiting: int = 256


@dataclass(frozen=True)
class EngineState:
    """What runs now."""

    package: EnginePackage
    backend: str
    max_rows: int
    slots_used: int
    waiting: int
    running: int
    held: HeldAdapters


class Engine:
    """Generates images. Used from one event loop; the networks run in threads of their own."""

    def __init__(
        self,
        package: EnginePackage,
        backend: Backend,
        adapters: AdapterCache,
        store: ArtifactStore,
        metrics: Metrics,
        limits: EngineLimits,
        marker: Marker,
        analyzer: FaceAnalyzer | None = None,
    ) -> None:
        """Wire the parts together. ``analyzer``: what images are cut to frames by; None: such requests are refused.

        Raises InvalidArgumentError: SETTING_INVALID, when ``limits`` do not fit the package.
        """
        self._package = package
        self._backend = backend
        self._adapters = adapters
        self._checker = RequestChecker(package, can_frame=analyzer is not None)
        self._preparer = Preparer(package, backend, adapters, SourceReader(store), metrics)
        self._writer = ImageWriter(store, marker, metrics, analyzer)
        self._metrics = metrics
        self._max_rows = limits.max_rows or package.max_rows
        if not _ROWS_OF_AN_IMAGE <= self._max_rows <= package.max_rows:
            raise InvalidArgumentError(
                "SETTING_INVALID",
                f"max_rows={self._max_rows}; this engine takes {_ROWS_OF_AN_IMAGE} to {package.max_rows}",
            )
        self._draining, self._jobs = False, set[Job]()
        self._idle = asyncio.Event()
        self._loop = BatchLoop(
            backend,
            metrics,
            encoding.PreviewMap(package.preview_matrix, package.preview_bias),
            slots=package.slots,
            max_rows=self._max_rows,
            max_waiting=limits.max_waiting,
        )
        metrics.device_memory.set(backend.device_memory_bytes())

    async def start(self) -> None:
        """Warm every network up, then start the loop."""
        await asyncio.to_thread(self._warm_up)
        self._loop.start()

    async def drain(self, seconds: float) -> None:
        """Take no more requests; give those that are there ``seconds``."""
        self._draining = True
        if self._jobs:
            await pause(self._idle, seconds)

    async def stop(self) -> None:
        """End the threads; requests that are still there fail with SHUTTING_DOWN."""
        self._draining = True
        await asyncio.to_thread(self._loop.stop)

    def state(self) -> EngineState:
        """What runs now."""
        return EngineState(
            package=self._package,
            backend=self._backend.name,
            max_rows=self._max_rows,
            slots_used=self._loop.slots_used,
            waiting=self._loop.waiting,
            running=self._loop.running,
            held=held_adapters(self._loop.slot_adapters(), self._adapters),
        )

    def check(self, request: GenerationRequest) -> RequestCheck:
        """See :meth:`.requests.checking.RequestChecker.check`."""
        return self._checker.check(request)

    async def evict(self, sha256: str) -> bool:
        """Forget an adapter on every local tier; whether any held it.

        Raises:
            FailedPreconditionError: EVICTION_IN_USE.
        """
        had_slot = self._loop.evict(sha256)
        return await self._adapters.evict(sha256) or had_slot

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Event, None]:
        """Queued, started, steps and images of ``request``. Closing the iterator frees its rows at the next step.

        Raises:
            InvalidArgumentError: see :meth:`.requests.checking.RequestChecker.plan`.
            InvalidAdapterError: ADAPTER_*.
            InvalidPhotoError, FailedPreconditionError: FRAME_NEEDS_ANALYZER; see :class:`.requests.preparing.Preparer`.
            ResourceExhaustedError: QUEUE_FULL.
            DeadlineExceededError: DEADLINE_TOO_SHORT.
            UnavailableError: DRAINING, SHUTTING_DOWN, OBJECT_STORE_UNAVAILABLE, C2PA_SIGNING_FAILED.
        """
        if self._draining:
            raise UnavailableError("DRAINING", "this generator is shutting down; another one will answer")
        job = self._new_job(self._checker.plan(request))
        with self._accounted(job):
            yield Queued(self._loop.submit(job))
            preparing = asyncio.create_task(self._prepare(job))
            try:
                left = request.images
                while left:
                    event = await self._next(job)
                    if isinstance(event, Failed):
                        raise event.error
                    if isinstance(event, Decoded):
                        left -= 1
                        assert job.prepared is not None
                        yield await self._writer.write(job.plan, job.prepared.source, event)
                    else:
                        yield event
            finally:
                preparing.cancel()

    @contextmanager
    def _accounted(self, job: Job) -> Iterator[None]:
        """Count ``job`` while it lives; however it ends, its rows are free afterwards."""
        status, started = "cancelled", time.monotonic()
        self._jobs.add(job)
        self._idle.clear()
        try:
            yield
            status = "ok"
        except Exception as error:
            ours = not isinstance(error, HeadshotsError) or isinstance(error, InternalError | UnavailableError)
            status = "error" if ours else "refused"
            raise
        finally:
            self._loop.cancel(job)
            self._jobs.discard(job)
            if not self._jobs:
                self._idle.set()
            self._metrics.request_ended(status, time.monotonic() - started)

    async def _next(self, job: Job) -> JobEvent | Queued:
        """The job's next event; its queue position where nothing else happened for a while."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_REPORT_QUEUE_SECONDS):
                    return await job.events.get()
            position = self._loop.queue_position(job)
            if position is not None:
                return Queued(position)

    def _new_job(self, plan: Plan) -> Job:
        request = plan.request
        return Job(
            plan=plan,
            ticket=Ticket(request.tenant, request.high, plan.rows, plan.row_steps, request.images),
            submitted=time.monotonic(),
            loop=asyncio.get_running_loop(),
            events=asyncio.Queue(),
            left=request.images,
        )

    async def _prepare(self, job: Job) -> None:
        """Bring what the request needs into memory while it waits; nobody else waits for that."""
        try:
            self._loop.make_ready(job, await self._preparer.prepare(job.plan))
        except HeadshotsError as error:
            job.emit(Failed(error))
        except Exception:
            # Nobody awaits this task: what is not told to the caller here would leave the request waiting for ever.
            log.exception("preparing a request failed")
            job.emit(Failed(InternalError("PREPARING_FAILED", "the request could not be prepared; see the log")))

    def _warm_up(self) -> None:
        """One UNet call of an image with guidance at the native size, and one of everything else."""
        package = self._package
        context = self._backend.encode_text("")
        self._backend.encode(np.zeros((1, package.native_height_px, package.native_width_px, 3), np.uint8))
        factor = package.vae_scale_factor
        shape = (package.latent_channels, package.native_height_px // factor, package.native_width_px // factor)
        pooled = context.pooled_E
        self._loop.warm_up(
            UNetBatch(
                sample_BCHW=np.zeros((2, *shape), np.float32),
                timestep_B=np.ones(2, np.float32),
                context_BTD=np.stack([context.context_TD] * 2),
                slot_B=np.zeros(2, np.int64),
                strength_B=np.ones(2, np.float32),
                pooled_BE=None if pooled is None else np.stack([pooled] * 2),
                time_ids_B6=None if pooled is None else np.zeros((2, 6), np.float32),
            )
        )
