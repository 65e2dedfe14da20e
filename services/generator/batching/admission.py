"""Lets waiting requests into the batch: gives their images rows and a slot, and writes adapter rows into slots.

Not thread-safe: its owner holds a lock.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

from headshots.caching.slots import SlotTable
from headshots.diffusion.backends.base import Backend, FloatArray
from headshots.errors import DeadlineExceededError, InternalError
from headshots.telemetry.exemplars import observe
from services.generator.batching.batch import Batch
from services.generator.batching.denoising import ImageState
from services.generator.batching.jobs import Failed, Job
from services.generator.batching.scheduler import Scheduler, Ticket
from services.generator.metrics import Metrics
from services.generator.requests.request import Started

log = logging.getLogger(__name__)

_SMOOTHING = 0.1
"""Weight of the newest call in the running mean of seconds per row."""


class Admission:
    """The requests that wait, and the slots."""

    def __init__(
        self, backend: Backend, metrics: Metrics, batch: Batch, *, slots: int, max_rows: int, max_waiting: int
    ) -> None:
        self._backend = backend
        self._metrics = metrics
        self._batch = batch
        self._max_rows = max_rows
        self._scheduler = Scheduler(max_waiting)
        self._jobs: dict[Ticket, Job] = {}
        self._to_clear: list[int] = []
        self._seconds_per_row = 0.0
        self.slots = SlotTable(slots)

    def __len__(self) -> int:
        """Requests that wait for rows."""
        return len(self._scheduler)

    @property
    def jobs(self) -> list[Job]:
        """Requests that wait for rows."""
        return list(self._jobs.values())

    def learn_speed(self, seconds: float, rows: int) -> None:
        """Learn from one UNet call how long a row takes."""
        newest = seconds / rows
        known = self._seconds_per_row or newest
        self._seconds_per_row = known + _SMOOTHING * (newest - known)

    def submit(self, job: Job) -> int:
        """Queue ``job``; returns how many requests are ahead.

        Raises:
            ResourceExhaustedError: QUEUE_FULL.
            DeadlineExceededError: DEADLINE_TOO_SHORT, with the estimate.
        """
        ticket = job.ticket
        self._scheduler.submit(ticket, retry_after_seconds=max(1.0, self._estimate(self._scheduler.row_steps)))
        ahead = self._scheduler.ahead_of(ticket)
        limit = job.plan.request.deadline_seconds
        needed = self._estimate(ahead.row_steps + ticket.row_steps)
        if limit is not None and needed > limit:
            self._scheduler.withdraw(ticket)
            raise DeadlineExceededError(
                "DEADLINE_TOO_SHORT",
                f"it would take about {needed:.1f} s and {limit:.1f} s are left; ask for fewer steps or come back",
                metadata={"estimate_seconds": f"{needed:.3f}"},
            )
        self._jobs[ticket] = job
        return ahead.requests

    def queue_position(self, job: Job) -> int | None:
        """How many requests are ahead of ``job``; None once it does not wait any more."""
        return self._scheduler.ahead_of(job.ticket).requests if job.ticket in self._jobs else None

    def withdraw(self, job: Job) -> None:
        """Give ``job`` no more rows. Harmless for one that does not wait."""
        job.cancelled = True
        self._scheduler.withdraw(job.ticket)
        self._jobs.pop(job.ticket, None)

    def fail(self, job: Job, what: str) -> None:
        """Withdraw ``job`` and tell its caller that ``what`` failed."""
        job.emit(Failed(InternalError("PAINTING_FAILED", f"{what} failed; the server's log says why")))
        self.withdraw(job)

    def evict(self, adapter: str) -> bool:
        """Forget an unpinned adapter's slot; whether it had one."""
        slot = self.slots.evict(adapter)
        if slot is not None:
            # The bank belongs to the batch thread; it clears the slot before it gives it to anybody else.
            self._to_clear.append(slot)
        return slot is not None

    def admit(self) -> Iterator[Job]:
        """Give free rows away until nothing more can start; the requests whose images started. On the batch thread."""
        while self._to_clear:
            self._backend.write_slot(self._to_clear.pop(), None)
        while ticket := self._scheduler.next(self._max_rows - self._batch.rows, self._can_start):
            yield self._start(self._jobs[ticket])

    def _estimate(self, row_steps: float) -> float:
        """Seconds for that much work after what is in the batch now."""
        return (row_steps + self._batch.row_steps) * self._seconds_per_row

    def _can_start(self, ticket: Ticket) -> bool:
        """Pin a slot for an image of ``ticket``'s request, writing the adapter's row there if it is not resident."""
        job = self._jobs[ticket]
        if job.adapter is None:
            return True
        pinned = self.slots.pin(job.adapter)
        if pinned is None:
            return False
        slot, fresh = pinned
        self._metrics.looked_up("slot", not fresh)
        assert job.prepared is not None
        return not fresh or self._load(job, job.adapter, slot, job.prepared.row_P)

    def _load(self, job: Job, adapter: str, slot: int, row_P: FloatArray | None) -> bool:
        """Write the adapter's row into its slot; a device that fails costs the request, not the service."""
        try:
            with self._metrics.load("host", job.trace.call):
                self._backend.write_slot(slot, row_P)
        except Exception:
            log.exception("writing slot %d failed", slot)
            self.slots.unpin(adapter)
            self.slots.evict(adapter)
            self.fail(job, "loading the adapter")
            return False
        return True

    def _start(self, job: Job) -> Job:
        """One image of ``job`` joins the batch."""
        assert job.prepared is not None
        index = job.plan.request.images - job.ticket.images - 1
        slot = 0 if job.adapter is None else self.slots.slot(job.adapter)
        job.trace.started()
        image = ImageState(job.prepared.inputs, slot, job.plan.noise_CHW(index), job.plan.drawing_seed(index))
        self._batch.add(image, job, index)
        if job.ticket.images == 0:
            del self._jobs[job.ticket]
            waited = time.monotonic() - job.submitted
            observe(self._metrics.queue_seconds, waited, job.trace.call)
            job.emit(Started(waited))
        return job
