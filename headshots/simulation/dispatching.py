"""Simulates gateways: which of them has room for another shot, and which generator it sends it to."""

from __future__ import annotations

import itertools
import random
from collections import Counter

from headshots.routing.fleet import Fleet
from headshots.simulation.policies import Policy
from headshots.simulation.replicas import Generator, Shot


class Dispatcher:
    """Each gateway's `Fleet` is as old as in a running one."""

    def __init__(self, policy: Policy, drawn: random.Random) -> None:
        self._policy, self._random = policy, drawn
        self._fleets = [Fleet() for _ in range(policy.gateways)]
        self._generators: dict[str, Generator] = {}
        self._under_way: Counter[int] = Counter()
        self._turns = itertools.count()
        self._tell_at = 0.0

    def join(self, generator: Generator) -> None:
        """It takes requests from now on."""
        self._generators[generator.alias] = generator
        self._consist()
        for fleet in self._fleets:
            fleet.answered(generator.alias, generator.tell())

    def leave(self, generator: Generator) -> None:
        """It takes none any more."""
        self._generators.pop(generator.alias, None)
        self._consist()

    def free_gateway(self) -> int | None:
        """One that has room for another shot; None: no gateway has, or there is no generator."""
        if not self._generators:
            return None
        free = [one for one in range(self._policy.gateways) if self._under_way[one] < self._policy.in_flight]
        return self._random.choice(free) if free else None

    def send(self, shot: Shot, gateway: int) -> Generator:
        """The generator that this gateway sends the shot to; it is under way until it is `delivered`."""
        fleet = self._fleets[gateway]
        alias = self._chosen(fleet, shot.adapter)
        shot.gateway = gateway
        shot.sending.enter_context(fleet.sending(alias, shot.adapter))
        fleet.took(alias, shot.adapter)
        self._under_way[gateway] += 1
        return self._generators[alias]

    def delivered(self, shot: Shot) -> None:
        """The image is there."""
        shot.sending.close()
        self._under_way[shot.gateway] -= 1

    def tell_until(self, now: float) -> None:
        """Generators tell what they have, as often as they are asked; nothing has changed since the last event."""
        if self._tell_at > now:
            return
        for alias, generator in self._generators.items():
            if generator.has_news:
                answer = generator.tell()
                for fleet in self._fleets:
                    fleet.answered(alias, answer)
        self._tell_at = now + self._policy.generator_poll_seconds

    def _chosen(self, fleet: Fleet, adapter: str) -> str:
        if self._policy.routing == "adapter":
            return fleet.ranked(adapter, adapter)[0].alias
        if self._policy.routing == "least_loaded":
            return min(self._generators.values(), key=lambda one: one.requests).alias
        return list(self._generators)[next(self._turns) % len(self._generators)]

    def _consist(self) -> None:
        for fleet in self._fleets:
            fleet.consists_of(self._generators)
