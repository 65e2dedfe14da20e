"""Counts how requests were routed to generators. Replicas are named by their alias, never by an address."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.gateway.peers.routing.fleet import State
from services.gateway.peers.routing.ranking import Tier

NO_ADAPTER = "none"
REFUSALS = ("draining", "full", "unreachable", "late", "cut")
"""Why a replica was passed over before it had taken a request."""


class RoutingMetrics:
    """Of one gateway. Nothing is counted while there is only one generator."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        """`registry`: None exports nothing."""
        name = "headshots_gateway_"
        self._routed = Counter(
            name + "routed_requests",
            "Requests that a generator took, by where it was thought to have the adapter: slot, host, disk, store"
            " (nowhere) or none: it needs none.",
            ("tier",),
            registry=registry,
        )
        self._passed_over = Counter(
            name + "generators_passed_over",
            "Times that a generator did not take a request and the next one was asked, by why.",
            ("reason",),
            registry=registry,
        )
        self._in_flight = Gauge(
            name + "generator_requests_in_flight",
            "Requests of this gateway that a generator works on, by its alias.",
            ("generator",),
            registry=registry,
        )
        self._generators = Gauge(
            name + "generators", "Generators that this gateway knows of, by state.", ("state",), registry=registry
        )
        self._aliases: set[str] = set()
        for tier in (*(tier.name.lower() for tier in Tier), NO_ADAPTER):
            self._routed.labels(tier)
        for reason in REFUSALS:
            self._passed_over.labels(reason)
        self.consists_of({}, {})

    def routed(self, tier: Tier | None) -> None:
        """A generator took a request; `tier`: None, it needs no adapter."""
        self._routed.labels(NO_ADAPTER if tier is None else tier.name.lower()).inc()

    def passed_over(self, reason: str) -> None:
        """A generator did not take a request; `reason`: of `REFUSALS`."""
        self._passed_over.labels(reason).inc()

    def consists_of(self, states: Mapping[str, State], in_flight: Mapping[str, int]) -> None:
        """All generators by alias: what each is good for, and how many requests it works on."""
        found = Tally(states.values())
        for state in State:
            self._generators.labels(state.value).set(found[state])
        # Those that have left are not exported for ever.
        for alias in self._aliases - set(in_flight):
            self._in_flight.remove(alias)
        self._aliases = set(in_flight)
        for alias, requests in in_flight.items():
            self._in_flight.labels(alias).set(requests)
