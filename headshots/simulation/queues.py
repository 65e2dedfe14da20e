"""Holds what waits, and says what is next: the tenant with the least under way, in it what was ordered first."""

from __future__ import annotations

from collections import Counter, deque
from typing import Generic, Protocol, TypeVar


class Owned(Protocol):
    """Work of a tenant."""

    @property
    def tenant(self) -> str:
        """Whose it is."""


T = TypeVar("T", bound=Owned)


class FairQueue(Generic[T]):
    """As `services/gateway/galleries/claiming.py` claims shots and `services/trainer/queue/fair_share.py` trainings."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[T]] = {}
        self._running: Counter[str] = Counter()
        self._served: dict[str, int] = {}
        self._turns = 0
        self._count = 0

    @property
    def work(self) -> int:
        """What waits and is under way: what KEDA is told."""
        return self._count + self._running.total()

    def __len__(self) -> int:
        """What waits."""
        return self._count

    def add(self, item: T) -> None:
        """Comes last of its tenant's."""
        self._waiting.setdefault(item.tenant, deque()).append(item)
        self._count += 1

    def take(self) -> T:
        """The next, which is under way until it is `done`."""
        tenant = min(self._waiting, key=lambda one: (self._running[one], self._served.get(one, 0)))
        items = self._waiting[tenant]
        item = items.popleft()
        if not items:
            del self._waiting[tenant]
        self._turns += 1
        self._served[tenant] = self._turns
        self._running[tenant] += 1
        self._count -= 1
        return item

    def done(self, item: T) -> None:
        """It is under way no more."""
        self._running[item.tenant] -= 1
