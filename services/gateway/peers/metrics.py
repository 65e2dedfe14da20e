"""Counts how requests were routed to generators. Replicas are named by their alias, never by an address."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge

from headshots.routing.fleet import State
from headshots.routing.ranking import Tier
from headshots.schema import MAIN_POOL

NO_ADAPTER = "none"
REFUSALS = ("draining", "full", "unreachable", "late", "cut")
"""Why a replica was passed over before it had taken a request."""


class PoolMetrics:
    """Of one gateway: the pools that its settings name, which no other label may be."""

    def __init__(self, registry: CollectorRegistry | None, pools: Sequence[str] = (MAIN_POOL,)) -> None:
        """`registry`: None exports nothing."""
        self._families = _Families(registry)
        self._routing = {pool: RoutingMetrics(self._families, pool) for pool in pools}
        self._answers = Gauge(
            "headshots_gateway_pool_answers",
            "Whether a generator of the pool told what it runs when it was asked last: 1 or 0; only where there are"
            " several pools.",
            ("pool",),
            registry=registry,
        )

    def routing(self, pool: str) -> RoutingMetrics:
        """How requests of a pool are routed."""
        return self._routing[pool]

    def answers(self, pool: str, does: bool) -> None:
        """Whether a pool answered just now."""
        self._answers.labels(pool).set(does)


class _Families:
    """What is counted for each pool."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        name = "headshots_gateway_"
        self.routed = Counter(
            name + "routed_requests",
            "Requests that a generator took, by where it was thought to have the adapter: slot, host, disk, store"
            " (nowhere) or none: it needs none.",
            ("pool", "tier"),
            registry=registry,
        )
        self.passed_over = Counter(
            name + "generators_passed_over",
            "Times that a generator did not take a request and the next one was asked, by why.",
            ("pool", "reason"),
            registry=registry,
        )
        self.in_flight = Gauge(
            name + "generator_requests_in_flight",
            "Requests of this gateway that a generator works on, by its alias.",
            ("pool", "generator"),
            registry=registry,
        )
        self.generators = Gauge(
            name + "generators",
            "Generators that this gateway knows of, by state.",
            ("pool", "state"),
            registry=registry,
        )


class RoutingMetrics:
    """Of one pool. Nothing is counted while it has only one generator."""

    def __init__(self, families: _Families, pool: str) -> None:
        self._families, self._pool = families, pool
        self._aliases: set[str] = set()
        for tier in (*(tier.name.lower() for tier in Tier), NO_ADAPTER):
            families.routed.labels(pool, tier)
        for reason in REFUSALS:
            families.passed_over.labels(pool, reason)
        self.consists_of({}, {})

    def routed(self, tier: Tier | None) -> None:
        """A generator took a request; `tier`: None, it needs no adapter."""
        self._families.routed.labels(self._pool, NO_ADAPTER if tier is None else tier.name.lower()).inc()

    def passed_over(self, reason: str) -> None:
        """A generator did not take a request; `reason`: of `REFUSALS`."""
        self._families.passed_over.labels(self._pool, reason).inc()

    def consists_of(self, states: Mapping[str, State], in_flight: Mapping[str, int]) -> None:
        """All generators by alias: what each is good for, and how many requests it works on."""
        found = Tally(states.values())
        for state in State:
            self._families.generators.labels(self._pool, state.value).set(found[state])
        # Those that have left are not exported for ever.
        for alias in self._aliases - set(in_flight):
            self._families.in_flight.remove(self._pool, alias)
        self._aliases = set(in_flight)
        for alias, requests in in_flight.items():
            self._families.in_flight.labels(self._pool, alias).set(requests)
