"""Simulates a generator: its batch, its slots and what else it has of adapters, as `services/generator` keeps them."""

from __future__ import annotations

import contextlib
import enum
import heapq
import itertools
from collections import Counter, deque
from dataclasses import dataclass, field

from headshots.caching.lru import ByteLru
from headshots.caching.slots import SlotTable
from headshots.routing.fleet import Answer
from headshots.routing.ranking import Tier
from headshots.routing.residents import ToldAdapters
from headshots.simulation.policies import Policy
from headshots.simulation.service_times import ServiceTimes

_FOUNDATION = "f0" * 32


@dataclass(eq=False)
class Shot:
    """An image that is to be painted."""

    order: int
    """Which of the trace's."""
    tenant: str
    adapter: str
    work: float
    """Of an image: 1 is the mean."""
    gateway: int = 0
    tier: Tier = Tier.STORE
    """Where the generator had its adapter when the request came."""
    sending: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    """What tells the gateway's fleet that it is under way."""


class State(enum.Enum):
    """What a replica is good for."""

    STARTING = "starting"
    READY = "ready"
    LEAVING = "leaving"
    """It ends what it has, and takes nothing more."""


class Generator:
    """Paints up to `batch` images at once, all at the same pace, which depends on how many there are.

    Its clock is virtual: it goes on by 1 while an image is painted, so that an image that begins at v ends at v + work,
    whatever comes and goes meanwhile (virtual time of processor sharing: Parekh and Gallager, 1993).
    """

    def __init__(
        self, alias: str, policy: Policy, times: ServiceTimes, started_at: float, begun: Counter[Tier]
    ) -> None:
        """`begun`: counts images by where their adapter was when they began."""
        self.alias = alias
        self.state = State.STARTING
        self.started_at = started_at
        self.has_news = True
        """Whether it changed since it told of itself last."""
        self.painted_seconds = 0.0
        """Seconds of places in the batch that were taken."""
        self.version = 0
        """Grows with each change; an end that was foreseen in an older version is none."""
        self._policy, self._times, self._begun = policy, times, begun
        self._slots = SlotTable(policy.slots)
        self._memory, self._disk = ByteLru(policy.host_adapters), ByteLru(policy.disk_adapters)
        self._ends: list[tuple[float, int, Shot]] = []
        self._numbers = itertools.count()
        self._waiting: deque[Shot] = deque()
        self._loading = 0
        self._loaded_at: dict[str, float] = {}
        self._clock, self._now = 0.0, started_at

    @property
    def requests(self) -> int:
        """That it works on or has waiting."""
        return len(self._ends) + len(self._waiting) + self._loading

    def take(self, shot: Shot, now: float) -> float:
        """A request came: for how many seconds its adapter will be loaded, which another one may have begun."""
        shot.tier = self._tier(shot.adapter)
        for adapters in (self._memory, self._disk):
            adapters.add(shot.adapter, 1)
        self._loading += 1
        self.has_news = True
        if shot.tier is Tier.SLOT:
            return 0.0
        seconds = max(self._times.load_seconds[shot.tier - 1], self._loaded_at.get(shot.adapter, now) - now)
        self._loaded_at[shot.adapter] = now + seconds
        return seconds

    def loaded(self, shot: Shot, now: float) -> None:
        """Its adapter is in memory: it is painted as soon as there is room."""
        self._loading -= 1
        if self._loaded_at.get(shot.adapter, now) <= now:
            self._loaded_at.pop(shot.adapter, None)
        self._go_on(now)
        self._waiting.append(shot)
        self._fill()

    def next_end(self) -> float | None:
        """When the next image ends, if nothing changes; None: nothing is painted."""
        if not self._ends:
            return None
        return self._now + max(self._ends[0][0] - self._clock, 0.0) * self._times.image(len(self._ends))

    def end(self, now: float) -> Shot:
        """The next image is painted, and what waits takes its place."""
        self._go_on(now)
        until, _, shot = heapq.heappop(self._ends)
        self._clock = until
        self._slots.unpin(shot.adapter)
        self._fill()
        return shot

    def tell(self) -> Answer:
        """As DescribeGenerator does, the most recently used first."""
        self.has_news = False
        told = ToldAdapters(
            list(self._slots)[::-1], list(self._memory)[::-1], list(self._disk)[::-1], self._policy.slots - 1
        )
        return Answer(_FOUNDATION, is_serving=self.state is State.READY, adapters=told, requests=self.requests)

    def _tier(self, adapter: str) -> Tier:
        if adapter in self._slots:
            return Tier.SLOT
        if adapter in self._memory:
            return Tier.HOST
        return Tier.DISK if adapter in self._disk else Tier.STORE

    def _go_on(self, now: float) -> None:
        if self._ends:
            self._clock += (now - self._now) / self._times.image(len(self._ends))
            self.painted_seconds += (now - self._now) * len(self._ends)
        self._now = now
        self.version += 1
        self.has_news = True

    def _fill(self) -> None:
        """Begins what waits, while there is room in the batch and a slot."""
        while self._waiting and len(self._ends) < self._policy.batch:
            pinned = self._slots.pin(self._waiting[0].adapter)
            if pinned is None:
                break
            shot = self._waiting.popleft()
            # Who lost its slot while it waited is in memory still.
            self._begun[max(shot.tier, Tier.HOST) if pinned[1] else Tier.SLOT] += 1
            heapq.heappush(self._ends, (self._clock + shot.work, next(self._numbers), shot))
