"""A running request as the event loop and the batch loop share it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from headshots.errors import HeadshotsError
from services.generator.batching.lanes import Lane, LaneInputs
from services.generator.batching.scheduler import Ticket
from services.generator.requests.plan import Plan
from services.generator.requests.request import Started, StepDone
from services.generator.requests.source_images import SourcePixels


@dataclass(frozen=True)
class Decoded:
    """Pixels of image ``index``, uint8 [height, width, 3]."""

    index: int
    pixels: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Failed:
    """The request cannot go on."""

    error: HeadshotsError


JobEvent = Started | StepDone | Decoded | Failed


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a request needs in memory before it can start.

    Attributes:
        inputs: of every image.
        row: the adapter's, [P] float32; None paints with the bare foundation.
        source: the picture that is painted over, for its kept pixels.
    """

    inputs: LaneInputs
    row: npt.NDArray[np.float32] | None
    source: SourcePixels | None


@dataclass(eq=False)
class Job:
    """One request on its way. ``emit`` may be called from any thread; all else belongs to the batch loop's lock.

    Attributes:
        plan: what is painted.
        ticket: its place in the queue.
        submitted: when it came, on the monotonic clock.
        prepared: set once everything is in memory.
        lanes: images in the batch, by their index.
        left: images that are not decoded yet.
    """

    plan: Plan
    ticket: Ticket
    submitted: float
    loop: asyncio.AbstractEventLoop
    events: asyncio.Queue[JobEvent]
    left: int
    prepared: Prepared | None = None
    lanes: dict[int, Lane] = field(default_factory=dict)
    cancelled: bool = False

    @property
    def adapter(self) -> str | None:
        """SHA-256 of its adapter; None paints with the bare foundation."""
        adapter = self.plan.request.adapter
        return adapter.sha256 if adapter else None

    def emit(self, event: JobEvent) -> None:
        """Hand ``event`` to the request's caller."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.events.put_nowait, event)
