"""Picks the next request that gets rows of the batch: plain Python, no arrays, no clocks.

A request waits until all of its images have been given rows of the batch. The tenant that has been served least goes
first, where high-priority work counts a quarter; within a tenant high priority goes before standard, and then the
oldest request. So high priority gives a tenant up to four times another's share, and never all of the batch. A request
that is not ready (its adapter is on its way) or for which no slot is free is passed over and holds up nobody; one that
only lacks free rows is waited for, or wide requests would starve behind narrow ones.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace

from headshots.errors import ResourceExhaustedError

_HIGH_WEIGHT = 4
"""So many high-priority row-steps count as one."""


@dataclass(eq=False)
class Ticket:
    """A waiting request.

    Attributes:
        tenant: whose share of the batch it counts against.
        high: high priority.
        rows: rows of a UNet call that one image takes at most, 1 or 2.
        image_row_steps: rows that one image takes over all its steps.
        images: images that have not been given rows yet.
        ready: everything that it needs is in memory.
    """

    tenant: str
    high: bool
    rows: int
    image_row_steps: int
    images: int
    ready: bool = False

    @property
    def row_steps(self) -> int:
        """Work that waits in it."""
        return self.image_row_steps * self.images

    def cost(self, row_steps: int) -> float:
        """How much that much of its work counts against its tenant's share."""
        return row_steps / _HIGH_WEIGHT if self.high else row_steps


@dataclass(frozen=True)
class Ahead:
    """What goes before a ticket if nobody else comes and every request starts whole: requests, and their work."""

    requests: int
    row_steps: int


class Scheduler:
    """The bounded queue. Not thread-safe: its owner holds a lock."""

    def __init__(self, max_waiting: int) -> None:
        """``max_waiting``: requests that may wait."""
        self._max_waiting = max_waiting
        # By arrival; the number only tells who came first.
        self._waiting: dict[Ticket, int] = {}
        self._arrivals = 0
        # Cost of the row-steps given to each tenant that waits or was just served; only differences matter.
        self._served: dict[str, float] = {}

    def __len__(self) -> int:
        """Requests waiting."""
        return len(self._waiting)

    @property
    def row_steps(self) -> int:
        """Work waiting, in rows times steps."""
        return sum(ticket.row_steps for ticket in self._waiting)

    def submit(self, ticket: Ticket, retry_after_seconds: float = 1.0) -> None:
        """Queue ``ticket``.

        Raises:
            ResourceExhaustedError: QUEUE_FULL, with when to come back.
        """
        if len(self._waiting) >= self._max_waiting:
            raise ResourceExhaustedError(
                "QUEUE_FULL",
                f"{len(self._waiting)} requests are waiting already; come back in {retry_after_seconds:.0f} s",
                retry_after_seconds=retry_after_seconds,
            )
        if all(other.tenant != ticket.tenant for other in self._waiting):
            # A tenant that was away gets no credit for it: it starts no better than the least served of those who wait.
            floor = min((self._served[other.tenant] for other in self._waiting), default=0.0)
            self._served[ticket.tenant] = max(self._served.get(ticket.tenant, 0.0), floor)
        self._waiting[ticket] = self._arrivals
        self._arrivals += 1

    def ahead_of(self, ticket: Ticket) -> Ahead:
        """What goes before ``ticket``, which waits."""
        requests = row_steps = 0
        for other in self._fair_order():
            if other is ticket:
                break
            requests += 1
            row_steps += other.row_steps
        return Ahead(requests, row_steps)

    def withdraw(self, ticket: Ticket) -> bool:
        """Forget ``ticket``; whether it was waiting."""
        if self._waiting.pop(ticket, None) is None:
            return False
        self._forget_idle()
        return True

    def next(self, free_rows: int, can_start: Callable[[Ticket], bool]) -> Ticket | None:
        """Give rows to one image of the next request in order; None when nothing can start.

        ``can_start`` is asked last and may take what the image needs (a slot).
        """
        for ticket in sorted(self._waiting, key=self._rank):
            if not ticket.ready:
                continue
            if ticket.rows > free_rows:
                return None
            if not can_start(ticket):
                continue
            self._served[ticket.tenant] += ticket.cost(ticket.image_row_steps)
            ticket.images -= 1
            if ticket.images == 0:
                del self._waiting[ticket]
                self._forget_idle()
            return ticket
        return None

    def _rank(self, ticket: Ticket) -> tuple[float, bool]:
        """Sort key; the sort is stable, so the oldest of equals goes first."""
        return (self._served[ticket.tenant], not ticket.high)

    def _fair_order(self) -> Iterator[Ticket]:
        """All waiting requests in the order in which they would start.

        Tenants in a heap by what they were given, each with the first of its requests.
        """
        served = dict(self._served)
        queues: dict[str, deque[Ticket]] = {}
        for ticket in sorted(self._waiting, key=lambda ticket: not ticket.high):
            queues.setdefault(ticket.tenant, deque()).append(ticket)

        def place(tenant: str) -> tuple[float, bool, int, str]:
            first = queues[tenant][0]
            return served[tenant], not first.high, self._waiting[first], tenant

        heap = [place(tenant) for tenant in queues]
        heapify(heap)
        while heap:
            tenant = heap[0][-1]
            first = queues[tenant].popleft()
            yield first
            served[tenant] += first.cost(first.row_steps)
            if queues[tenant]:
                heapreplace(heap, place(tenant))
            else:
                heappop(heap)

    def _forget_idle(self) -> None:
        """Drop the counts of tenants that no longer matter: once nobody waits, all start level."""
        if not self._waiting:
            self._served = {}
            return
        waiting = {ticket.tenant for ticket in self._waiting}
        floor = min(self._served[tenant] for tenant in waiting)
        self._served = {t: s for t, s in self._served.items() if t in waiting or s > floor}
