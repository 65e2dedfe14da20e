"""Which images are in the batch, whose they are, and which step next. Not thread-safe: its owner holds a lock."""

from __future__ import annotations

from collections import deque

from services.generator.batching.jobs import Job
from services.generator.batching.lanes import Lane


class Batch:
    """Lanes of all sizes. A UNet call takes lanes of one size; sizes take turns."""

    def __init__(self) -> None:
        self._owner: dict[Lane, tuple[Job, int]] = {}
        self._turn: deque[tuple[int, ...]] = deque()

    def __contains__(self, lane: Lane) -> bool:
        return lane in self._owner

    @property
    def rows(self) -> int:
        """Rows that all lanes take."""
        return sum(lane.rows for lane in self._owner)

    @property
    def row_steps(self) -> int:
        """Work left in it, in rows times steps."""
        return sum(lane.rows * (lane.inputs.schedule.steps - lane.step) for lane in self._owner)

    def owner(self, lane: Lane) -> tuple[Job, int]:
        """The request that `lane` is an image of, and the image's number."""
        return self._owner[lane]

    def add(self, lane: Lane, job: Job, index: int) -> None:
        """Image `index` of `job` joins."""
        self._owner[lane] = (job, index)
        job.lanes[index] = lane

    def remove(self, job: Job, index: int) -> None:
        """Image `index` of `job` leaves."""
        del self._owner[job.lanes.pop(index)]

    def choose(self) -> list[Lane]:
        """All lanes of the size whose turn it is; none when the batch is empty."""
        sizes = {lane.latents_CHW.shape for lane in self._owner}
        if not sizes:
            return []
        self._turn = deque(size for size in self._turn if size in sizes)
        self._turn.extend(sorted(sizes - set(self._turn)))
        size = self._turn.popleft()
        self._turn.append(size)
        return [lane for lane in self._owner if lane.latents_CHW.shape == size]
