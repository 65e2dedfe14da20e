"""Simulates generators behind a gateway that routes: which requests find their adapter in a slot.

The decisions are the gateway's own (`services/gateway/peers/routing`), the slots the generator's own (`SlotTable`);
only time is made up. What replicas tell is as old as in a running gateway.
"""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import itertools
import math
import random
from collections import Counter, deque
from dataclasses import dataclass, field

from services.gateway.peers.routing.fleet import Answer, Fleet
from services.gateway.peers.routing.residents import ToldAdapters
from services.generator.adapters.lru import ByteLru
from services.generator.adapters.slots import SlotTable

SLOTS = 16
"""Of a replica, one of them the bare foundation's."""
HOST_ROWS = 32
"""Adapters that fit into a replica's memory. On its disk is all that it ever loaded."""
IN_FLIGHT = 8
"""Requests that a replica works on at once; more wait there."""
SERVICE_SECONDS = 8.0
"""Of a request, give or take a fifth."""
POLL_SECONDS = 2.0
"""Between two answers of a replica."""
LOAD = 0.7
"""Of what all replicas could do."""
FOUNDATION = "f0" * 32


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    slot_hit_rate: float
    max_over_mean_load: float
    """Requests that the busiest replica got, over the mean."""
    served: dict[str, int]
    """Requests by replica, in the order in which they joined."""


@dataclass
class _Replica:
    alias: str
    slots: SlotTable = field(default_factory=lambda: SlotTable(SLOTS))
    memory: ByteLru = field(default_factory=lambda: ByteLru(HOST_ROWS))
    disk: dict[str, None] = field(default_factory=dict)
    used: dict[str, None] = field(default_factory=dict)
    running: int = 0
    waiting: deque[tuple[str, contextlib.ExitStack]] = field(default_factory=deque)

    def start(self, sha256: str) -> bool:
        """Begins a request; whether its adapter was in a slot."""
        pinned = self.slots.pin(sha256)
        assert pinned is not None, "no more requests run than there are slots"
        self.running += 1
        self.memory.add(sha256, 1)
        for used in (self.disk, self.used):
            used.pop(sha256, None)
            used[sha256] = None
        return not pinned[1]

    def end(self, sha256: str) -> None:
        """A request is done."""
        self.slots.unpin(sha256)
        self.running -= 1

    def tell(self) -> Answer:
        """As DescribeGenerator does."""
        in_slots = [sha256 for sha256 in reversed(self.used) if sha256 in self.slots]
        told = ToldAdapters(in_slots, list(self.memory), list(self.disk), SLOTS - 1)
        return Answer(FOUNDATION, is_serving=True, adapters=told, requests=self.running + len(self.waiting))


class Simulation:
    """Replicas, each gateway's `Fleet`, and requests for subjects whose popularity is Zipf's with exponent 1.

    Gateways get requests at random.
    """

    def __init__(self, *, replicas: int, subjects: int, seed: int, gateways: int = 1) -> None:
        self._random = random.Random(seed)
        self._subjects = [hashlib.sha256(f"{seed}/{number}".encode()).hexdigest() for number in range(subjects)]
        self._shares = [1 / (number + 1) for number in range(subjects)]
        self._fleets = [Fleet() for _ in range(gateways)]
        self._replicas: dict[str, _Replica] = {}
        # When, a number that breaks ties, where, which adapter, and what tells the fleet.
        self._ends: list[tuple[float, int, str, str, contextlib.ExitStack]] = []
        self._numbers = itertools.count()
        self._now, self._tell_at, self._hits = 0.0, 0.0, 0
        for _ in range(replicas):
            self.join()

    def join(self) -> None:
        """One more replica, with nothing loaded."""
        replica = _Replica(f"{self._random.getrandbits(64):016x}")
        self._replicas[replica.alias] = replica
        for fleet in self._fleets:
            fleet.consists_of(self._replicas)
        self._tell()

    def run(self, requests: int) -> Outcome:
        """So many more requests arrive, as a Poisson process has them."""
        self._hits = 0
        served = Counter(dict.fromkeys(self._replicas, 0))
        rate = LOAD * len(self._replicas) * IN_FLIGHT / SERVICE_SECONDS
        for sha256 in self._random.choices(self._subjects, self._shares, k=requests):
            self._advance(self._now + self._random.expovariate(rate))
            fleet = self._random.choice(self._fleets)
            alias = fleet.ranked(sha256, sha256)[0].alias
            served[alias] += 1
            self._send(fleet, alias, sha256)
        self._advance(math.inf)
        mean = requests / len(self._replicas)
        return Outcome(self._hits / requests, max(served.values()) / mean, dict(served))

    def _send(self, fleet: Fleet, alias: str, sha256: str) -> None:
        sending = contextlib.ExitStack()
        sending.enter_context(fleet.sending(alias, sha256))
        fleet.took(alias, sha256)
        replica = self._replicas[alias]
        if replica.running < IN_FLIGHT:
            self._start(replica, sha256, sending)
        else:
            replica.waiting.append((sha256, sending))

    def _start(self, replica: _Replica, sha256: str, sending: contextlib.ExitStack) -> None:
        self._hits += replica.start(sha256)
        ends_at = self._now + SERVICE_SECONDS * self._random.uniform(0.8, 1.2)
        heapq.heappush(self._ends, (ends_at, next(self._numbers), replica.alias, sha256, sending))

    def _advance(self, until: float) -> None:
        """Ends what ends until then; replicas tell what they have in between."""
        while self._ends and self._ends[0][0] <= until:
            ends_at, _, alias, sha256, sending = heapq.heappop(self._ends)
            self._tell_until(ends_at)
            self._now = ends_at
            sending.close()
            replica = self._replicas[alias]
            replica.end(sha256)
            if replica.waiting:
                self._start(replica, *replica.waiting.popleft())
        if until < math.inf:
            self._tell_until(until)
            self._now = until

    def _tell_until(self, until: float) -> None:
        if self._tell_at <= until:
            self._tell()
            self._tell_at = until + POLL_SECONDS

    def _tell(self) -> None:
        for replica in self._replicas.values():
            answer = replica.tell()
            for fleet in self._fleets:
                fleet.answered(replica.alias, answer)
