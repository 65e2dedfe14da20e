"""Holds what the event loop and the batch loop share of a running request."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from headshots.errors import HeadshotsError
from services.generator.batching.denoising import ImageState
from services.generator.batching.scheduler import Ticket
from services.generator.images.decoder import Decoded
from services.generator.requests.plan import Plan
from services.generator.requests.prepared import Prepared
from services.generator.requests.request import Started, StepDone
from services.generator.traces import JobTrace


@dataclass(frozen=True)
class Failed:
    """The request cannot go on."""

    error: HeadshotsError


JobEvent = Started | StepDone | Decoded | Failed


@dataclass(eq=False)
class Job:
    """One running request. ``emit`` may be called from any thread; all else belongs to the batch loop's lock.

    Attributes:
        plan: what is generated.
        ticket: its entry in the queue.
        submitted: when it came, on the monotonic clock.
        prepared: set once everything is in memory.
        in_batch: images in the batch, by their index.
        left: images that are not decoded yet.
        trace: its spans.
    """

    plan: Plan
    ticket: Ticket
    submitted: float
    loop: asyncio.AbstractEventLoop
    events: asyncio.Queue[JobEvent]
    left: int
    prepared: Prepared | None = None
    in_batch: dict[int, ImageState] = field(default_factory=dict)
    cancelled: bool = False
    trace: JobTrace = field(default_factory=JobTrace)

    @property
    def adapter(self) -> str | None:
        """SHA-256 of its adapter; None generates with the bare foundation."""
        adapter = self.plan.request.adapter
        return adapter.sha256 if adapter else None

    def emit(self, event: JobEvent) -> None:
        """Hand ``event`` to the request's caller."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.events.put_nowait, event)
