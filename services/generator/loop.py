"""The batch loop: a thread that admits waiting images and steps the batch.

Requests join and leave at step boundaries. Images of other sizes make batches of their own, which take turns.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable

import numpy as np

from headshots.diffusion.backends.base import Backend, UNetBatch
from headshots.errors import DeadlineExceededError, FailedPreconditionError, InternalError, UnavailableError
from services.generator import images
from services.generator.batch import Batch
from services.generator.decoder import Decoder, Latents
from services.generator.jobs import Decoded, Failed, Job
from services.generator.lanes import FloatArray, Lane, LaneInputs, advance
from services.generator.metrics import Metrics
from services.generator.requests import Started, StepDone
from services.generator.scheduler import Scheduler, Ticket
from services.generator.slots import SlotTable

log = logging.getLogger(__name__)

_SMOOTHING = 0.1
"""Weight of the newest call in the running mean of seconds per row."""


class BatchLoop:
    """Owns the batch, the queue and the slots. Public methods may be called from any thread."""

    def __init__(
        self,
        backend: Backend,
        metrics: Metrics,
        preview_map: images.PreviewMap,
        *,
        slots: int,
        max_rows: int,
        max_waiting: int,
    ) -> None:
        self._backend = backend
        self._metrics = metrics
        self._preview_map = preview_map
        self._max_rows = max_rows
        self._scheduler = Scheduler(max_waiting)
        self._slots = SlotTable(slots)
        self._waiting: dict[Ticket, Job] = {}
        self._running: set[Job] = set()
        self._batch = Batch()
        self._to_clear: list[int] = []
        self._seconds_per_row = 0.0
        self._stopping = False
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._thread = threading.Thread(target=self._run, name="batch", daemon=True)
        self._decoder = Decoder(backend, metrics, self._decoded, self._fail)
        metrics.watch(waiting=lambda: self.waiting, running=lambda: self.running, slots=lambda: self.slots_used)

    @property
    def waiting(self) -> int:
        """Requests that wait for rows."""
        return len(self._scheduler)

    @property
    def running(self) -> int:
        """Requests with images in the batch or being decoded."""
        return len(self._running)

    @property
    def slots_used(self) -> int:
        """Slots that hold an adapter."""
        return len(self._slots)

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
        for job in {*self._waiting.values(), *self._running}:
            job.emit(Failed(UnavailableError("SHUTTING_DOWN", "the generator was stopped; send the request again")))

    def warm_up(self, batch: UNetBatch) -> None:
        """Run every network once before the threads start, and learn how fast rows are."""
        self._backend.unet(batch)
        started = time.monotonic()
        self._backend.unet(batch)
        self._seconds_per_row = (time.monotonic() - started) / len(batch.slot_B)
        self._backend.decode(np.zeros_like(batch.sample_BCHW[:1]))

    def submit(self, job: Job) -> int:
        """Queue ``job``; returns how many requests are ahead.

        Raises:
            ResourceExhaustedError: QUEUE_FULL.
            DeadlineExceededError: DEADLINE_TOO_SHORT, with the estimate.
        """
        with self._lock:
            ticket = job.ticket
            place = self._scheduler.submit(
                ticket, retry_after_seconds=max(1.0, self._estimate(self._scheduler.row_steps))
            )
            limit = job.plan.request.deadline_seconds
            needed = self._estimate(self._scheduler.row_steps_until(ticket))
            if limit is not None and needed > limit:
                self._scheduler.withdraw(ticket)
                raise DeadlineExceededError(
                    "DEADLINE_TOO_SHORT",
                    f"it would take about {needed:.1f} s and {limit:.1f} s are left; ask for fewer steps or come back",
                    metadata={"estimate_seconds": f"{needed:.3f}"},
                )
            self._waiting[ticket] = job
            return place

    def place(self, job: Job) -> int | None:
        """Requests ahead of ``job``; None once it does not wait any more."""
        with self._lock:
            return self._scheduler.place(job.ticket) if job.ticket in self._waiting else None

    def make_ready(self, job: Job, inputs: LaneInputs, row: FloatArray | None) -> None:
        """The job's prompt and adapter are in memory."""
        with self._lock:
            job.inputs, job.row, job.ticket.ready = inputs, row, True
            self._work.notify_all()

    def cancel(self, job: Job) -> None:
        """Forget ``job``: its rows are free at the next step. Harmless for one that has ended."""
        with self._lock:
            self._abandon(job)
            self._work.notify_all()

    def evict(self, adapter: str) -> bool:
        """Forget ``adapter``'s slot; whether it had one.

        Raises:
            FailedPreconditionError: ADAPTER_IN_USE is not a reason of a bad adapter, so it is EVICTION_IN_USE.
        """
        with self._lock:
            jobs = [*self._waiting.values(), *self._running]
            if self._slots.pinned(adapter) or any(job.adapter == adapter for job in jobs):
                raise FailedPreconditionError(
                    "EVICTION_IN_USE", "a request uses the adapter; cancel it or wait until it has ended"
                )
            slot = self._slots.evict(adapter)
            if slot is not None:
                # The bank belongs to the batch thread; it clears the slot before it gives it to anybody else.
                self._to_clear.append(slot)
                self._work.notify_all()
            return slot is not None

    def _abandon(self, job: Job) -> None:
        job.cancelled = True
        self._scheduler.withdraw(job.ticket)
        self._waiting.pop(job.ticket, None)

    def _abandon_with_error(self, job: Job, what: str) -> None:
        job.emit(Failed(InternalError("PAINTING_FAILED", f"{what} failed; the server's log says why")))
        self._abandon(job)

    def _estimate(self, row_steps: float) -> float:
        """Seconds for that much work after what is in the batch now."""
        return (row_steps + self._batch.row_steps) * self._seconds_per_row

    def _decoded(self, job: Job, event: Decoded) -> None:
        """The decoder is done with an image."""
        with self._lock:
            job.left -= 1
            if job.left == 0:
                self._running.discard(job)
            job.emit(event)

    # ---- the batch thread

    def _run(self) -> None:
        while True:
            lanes: list[Lane] = []
            try:
                with self._lock:
                    self._drop_cancelled()
                    self._admit()
                    if self._stopping:
                        return
                    lanes = self._batch.choose()
                    if not lanes:
                        self._work.wait()
                        continue
                self._step(lanes)
            except Exception:
                # Whatever a provider throws must cost the requests it hits, not the service.
                log.exception("a batch of %d images failed", len(lanes))
                self._fail(self._hit(lanes), "painting")

    def _hit(self, lanes: list[Lane]) -> set[Job]:
        """Whose images ``lanes`` are; without lanes nobody knows what failed, and everybody is told."""
        with self._lock:
            if not lanes:
                return {*self._waiting.values(), *self._running}
            return {self._batch.owner(lane)[0] for lane in lanes if lane in self._batch}

    def _fail(self, jobs: Iterable[Job], what: str) -> None:
        with self._lock:
            for job in jobs:
                self._abandon_with_error(job, what)

    def _drop_cancelled(self) -> None:
        for job in [job for job in self._running if job.cancelled]:
            for index in list(job.lanes):
                self._remove(job, index)
            self._running.discard(job)

    def _admit(self) -> None:
        """Give free rows away until nothing more can start."""
        while self._to_clear:
            self._backend.write_slot(self._to_clear.pop(), None)
        while not self._stopping:
            ticket = self._scheduler.next(self._max_rows - self._batch.rows, self._can_start)
            if ticket is None:
                return
            self._start(self._waiting[ticket])

    def _can_start(self, ticket: Ticket) -> bool:
        """Pin a slot for an image of ``ticket``'s request, writing the adapter's row there if it is not resident."""
        job = self._waiting[ticket]
        if job.adapter is None:
            return True
        pinned = self._slots.pin(job.adapter)
        if pinned is None:
            return False
        slot, fresh = pinned
        self._metrics.looked_up("slot", not fresh)
        return not fresh or self._load(job, job.adapter, slot)

    def _load(self, job: Job, adapter: str, slot: int) -> bool:
        """Write the adapter's row into its slot; a device that fails costs the request, not the service."""
        try:
            with self._metrics.load("host"):
                self._backend.write_slot(slot, job.row)
        except Exception:
            log.exception("writing slot %d failed", slot)
            self._slots.unpin(adapter)
            self._slots.evict(adapter)
            self._abandon_with_error(job, "loading the adapter")
            return False
        return True

    def _start(self, job: Job) -> None:
        """One image of ``job`` joins the batch."""
        assert job.inputs is not None
        index = job.plan.request.images - job.ticket.images - 1
        slot = 0 if job.adapter is None else self._slots.slot(job.adapter)
        lane = Lane(job.inputs, slot, job.plan.seed(index), job.plan.latent_shape)
        self._batch.add(lane, job, index)
        self._running.add(job)
        if job.ticket.images == 0:
            del self._waiting[job.ticket]
            waited = time.monotonic() - job.submitted
            self._metrics.queue_seconds.observe(waited)
            job.emit(Started(waited))

    def _step(self, lanes: list[Lane]) -> None:
        started = time.monotonic()
        rows = advance(self._backend, lanes)
        seconds = time.monotonic() - started
        self._seconds_per_row += _SMOOTHING * (seconds / rows - self._seconds_per_row)
        self._metrics.stage_seconds.labels("unet").observe(seconds)
        self._metrics.batch_rows.observe(rows)
        self._metrics.steps.inc(len(lanes))
        with self._lock:
            for lane in lanes:
                self._report(lane)

    def _report(self, lane: Lane) -> None:
        """Tell the caller of a step done; a finished lane leaves the batch for the decoder."""
        job, index = self._batch.owner(lane)
        every, total = job.plan.request.preview_every, lane.inputs.schedule.steps
        wanted = every > 0 and lane.step % every == 0
        shown = images.preview(lane.clean_CHW, self._preview_map) if wanted else b""
        job.emit(StepDone(index, lane.step, total, shown))
        if lane.done:
            self._remove(job, index)
            if not job.cancelled:
                self._decoder.put(Latents(job, index, lane.latents_CHW))

    def _remove(self, job: Job, index: int) -> None:
        """Take a lane out of the batch and release its slot."""
        self._batch.remove(job, index)
        if job.adapter is not None:
            self._slots.unpin(job.adapter)
