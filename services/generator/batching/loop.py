"""Runs the batch loop: a thread that admits waiting images and steps the batch.

Requests join and leave at step boundaries. Each image size is a batch of its own; the sizes are served round robin.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable

import numpy as np

from headshots.diffusion.backends.base import Backend, UNetBatch
from headshots.errors import FailedPreconditionError, UnavailableError
from headshots.telemetry.exemplars import observe
from services.generator.batching.admission import Admission
from services.generator.batching.batch import Batch
from services.generator.batching.denoising import ImageState, advance
from services.generator.batching.jobs import Failed, Job
from services.generator.images import encoding
from services.generator.images.decoder import Decoded, Decoder, FinishedLatents
from services.generator.metrics import Metrics
from services.generator.requests.prepared import Prepared
from services.generator.requests.request import StepDone
from services.generator.traces import network_call

log = logging.getLogger(__name__)


class BatchLoop:
    """Owns the batch and the way into it. Public methods may be called from any thread."""

    def __init__(
        self,
        backend: Backend,
        metrics: Metrics,
        preview_map: encoding.PreviewMap,
        *,
        slots: int,
        max_rows: int,
        max_waiting: int,
    ) -> None:
        self._backend = backend
        self._metrics = metrics
        self._preview_map = preview_map
        self._running: set[Job] = set()
        self._batch = Batch()
        self._admission = Admission(
            backend, metrics, self._batch, slots=slots, max_rows=max_rows, max_waiting=max_waiting
        )
        self._stopping = False
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._thread = threading.Thread(target=self._run, name="batch", daemon=True)
        self._decoder: Decoder[Job] = Decoder(backend, metrics, self._decoded, self._fail)
        metrics.watch(waiting=lambda: self.waiting, running=lambda: self.running, slots=lambda: self.slots_used)

    @property
    def waiting(self) -> int:
        """Requests that wait for rows."""
        return len(self._admission)

    @property
    def running(self) -> int:
        """Requests with images in the batch or being decoded."""
        return len(self._running)

    @property
    def slots_used(self) -> int:
        """Slots that hold an adapter."""
        return len(self._admission.slots)

    def slot_adapters(self) -> list[str]:
        """Digests of the adapters in the slots, the least recently used first."""
        with self._lock:
            return list(self._admission.slots)

    def start(self) -> None:
        """Start both threads."""
        self._thread.start()
        self._decoder.start()

    def stop(self) -> None:
        """End both threads at the next step; requests that are still there fail with SHUTTING_DOWN."""
        with self._lock:
            self._stopping = True
            self._work.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        self._decoder.stop()
        for job in {*self._admission.jobs, *self._running}:
            job.emit(Failed(UnavailableError("SHUTTING_DOWN", "the generator was stopped; send the request again")))

    def warm_up(self, batch: UNetBatch) -> None:
        """Run the UNet and the decoder once before the threads start, and learn how fast rows are."""
        self._backend.unet(batch)
        started = time.monotonic()
        self._backend.unet(batch)
        self._admission.learn_speed(time.monotonic() - started, len(batch.slot_B))
        self._backend.decode(np.zeros_like(batch.sample_BCHW[:1]))

    def submit(self, job: Job) -> int:
        """Queue ``job``; returns how many requests are ahead.

        Raises:
            ResourceExhaustedError: QUEUE_FULL.
            DeadlineExceededError: DEADLINE_TOO_SHORT, with the estimate.
        """
        with self._lock:
            return self._admission.submit(job)

    def queue_position(self, job: Job) -> int | None:
        """How many requests are ahead of ``job``; None once it does not wait any more."""
        with self._lock:
            return self._admission.queue_position(job)

    def make_ready(self, job: Job, prepared: Prepared) -> None:
        """All that the job needs is in memory."""
        with self._lock:
            job.prepared, job.ticket.ready = prepared, True
            self._work.notify_all()

    def cancel(self, job: Job) -> None:
        """Forget ``job``: its rows are free at the next step. Harmless for one that has ended."""
        with self._lock:
            self._admission.withdraw(job)
            job.trace.ended()
            self._work.notify_all()

    def evict(self, adapter: str) -> bool:
        """Forget ``adapter``'s slot; whether it had one.

        Raises:
            FailedPreconditionError: ADAPTER_IN_USE is not a reason of a bad adapter, so it is EVICTION_IN_USE.
        """
        with self._lock:
            users = [*self._admission.jobs, *self._running]
            if self._admission.slots.pinned(adapter) or any(job.adapter == adapter for job in users):
                raise FailedPreconditionError(
                    "EVICTION_IN_USE", "a request uses the adapter; cancel it or wait until it has ended"
                )
            had_slot = self._admission.evict(adapter)
            self._work.notify_all()
            return had_slot

    def _decoded(self, job: Job, event: Decoded) -> None:
        """The decoder is done with an image."""
        with self._lock:
            job.left -= 1
            if job.left == 0:
                self._running.discard(job)
            job.emit(event)

    def _fail(self, jobs: Iterable[Job], what: str) -> None:
        with self._lock:
            for job in jobs:
                self._admission.fail(job, what)

    # ---- the batch thread

    def _run(self) -> None:
        while True:
            images: list[ImageState] = []
            try:
                with self._lock:
                    self._drop_cancelled()
                    if self._stopping:
                        return
                    self._running.update(self._admission.admit())
                    images = self._batch.choose()
                    if not images:
                        self._work.wait()
                        continue
                self._step(images)
            except Exception:
                # Whatever a provider throws must cost the requests it hits, not the service.
                log.exception("a batch of %d images failed", len(images))
                self._fail(self._affected(images), "painting")

    def _affected(self, images: list[ImageState]) -> set[Job]:
        """The jobs that ``images`` belong to; all jobs where there are none, as any of them may have failed."""
        with self._lock:
            if not images:
                return {*self._admission.jobs, *self._running}
            return {self._batch.owner(image)[0] for image in images if image in self._batch}

    def _drop_cancelled(self) -> None:
        for job in [job for job in self._running if job.cancelled]:
            for index in list(job.in_batch):
                self._remove(job, index)
            self._running.discard(job)

    def _step(self, images: list[ImageState]) -> None:
        jobs = [self._batch.owner(image)[0] for image in images]
        started = time.monotonic()
        with network_call("unet", [job.trace for job in jobs], steps=[image.step for image in images]) as call:
            rows = advance(self._backend, images)
            call.set(rows=rows)
        seconds = time.monotonic() - started
        observe(self._metrics.stage_seconds.labels("unet"), seconds, call)
        self._metrics.batch_rows.observe(rows)
        self._metrics.steps.inc(len(images))
        with self._lock:
            self._admission.learn_speed(seconds, rows)
            for image, job in zip(images, jobs, strict=True):
                job.trace.stepped(call)
                self._report(image)

    def _report(self, image: ImageState) -> None:
        """Tell the caller of a step done; a finished image leaves the batch for the decoder."""
        job, index = self._batch.owner(image)
        every, total = job.plan.request.preview_every, image.inputs.schedule.steps
        wanted = every > 0 and image.step % every == 0
        shown = encoding.preview(image.clean_CHW, self._preview_map) if wanted else b""
        job.emit(StepDone(index, image.step, total, shown))
        if image.done:
            self._remove(job, index)
            if not job.cancelled:
                self._decoder.put(FinishedLatents(job, index, image.latents_CHW, job.trace))

    def _remove(self, job: Job, index: int) -> None:
        """Take an image out of the batch and release its slot."""
        self._batch.remove(job, index)
        if not job.in_batch and not job.ticket.images:
            job.trace.ended()
        if job.adapter is not None:
            self._admission.slots.unpin(job.adapter)
