"""Defines the generator's Prometheus metrics. Labels never name a tenant or a subject."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from headshots.telemetry import spans
from headshots.telemetry.exemplars import observe
from headshots.telemetry.spans import Span

STATUSES = ("ok", "cancelled", "refused", "error")
"""`refused`: what was asked for cannot be had, or not now; `error`: we, or what we depend on, failed."""
STAGES = ("text", "adapter", "source", "unet", "decode", "encode")
TIERS = ("slot", "host", "disk", "store")
_LOADED_FROM = TIERS[1:]

_LONG = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300)
_SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_ROWS = (1, 2, 4, 6, 8, 12, 16, 24, 32, 64)


class Metrics:
    """Counted where it happens; the gauges are read when scraped (:meth:`watch`)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        name = "headshots_generator_"
        self.waiting = Gauge(name + "requests_waiting", "Requests that wait for rows.", registry=registry)
        self.running = Gauge(name + "requests_running", "Requests with rows in the batch.", registry=registry)
        self.requests = Counter(name + "requests", "Requests ended.", ("status",), registry=registry)
        self.queue_seconds = Histogram(name + "queue_seconds", "Wait for rows.", registry=registry, buckets=_LONG)
        self.request_seconds = Histogram(
            name + "request_seconds", "Whole request.", ("status",), registry=registry, buckets=_LONG
        )
        self.stage_seconds = Histogram(
            name + "stage_seconds", "One call of a stage.", ("stage",), registry=registry, buckets=_SHORT
        )
        self.batch_rows = Histogram(name + "batch_rows", "Rows of a UNet call.", registry=registry, buckets=_ROWS)
        self.steps = Counter(name + "steps", "Denoising steps of images.", registry=registry)
        self.adapter_loads = Counter(
            name + "adapter_loads", "Adapters loaded, by the tier they came from.", ("tier",), registry=registry
        )
        self.adapter_load_seconds = Histogram(
            name + "adapter_load_seconds",
            "One load, by the tier it came from.",
            ("tier",),
            registry=registry,
            buckets=(0.0001, 0.0005, *_SHORT),
        )
        self.cache_queries = Counter(
            name + "adapter_cache_queries", "Look-ups of a tier.", ("tier",), registry=registry
        )
        self.cache_hits = Counter(name + "adapter_cache_hits", "Look-ups that found.", ("tier",), registry=registry)
        self.slots_used = Gauge(name + "slots_used", "Slots that hold an adapter.", registry=registry)
        self.device_memory = Gauge(name + "device_memory_bytes", "Weights and bank on the device.", registry=registry)
        self.content_certificate_expiry = Gauge(
            name + "content_certificate_expiry_timestamp_seconds",
            "When the certificate that signs images ends; 0 where none does.",
            registry=registry,
        )
        self.work: Callable[[], int] = lambda: 0
        """Requests that wait or run; may be called from any thread."""
        self._create_labels()

    def _create_labels(self) -> None:
        """Have every label present from the first scrape, so that rates have a beginning."""
        for status in STATUSES:
            self.requests.labels(status)
            self.request_seconds.labels(status)
        for stage in STAGES:
            self.stage_seconds.labels(stage)
        for tier in TIERS:
            self.cache_queries.labels(tier)
            self.cache_hits.labels(tier)
        for tier in _LOADED_FROM:
            self.adapter_loads.labels(tier)
            self.adapter_load_seconds.labels(tier)

    def watch(self, *, waiting: Callable[[], float], running: Callable[[], float], slots: Callable[[], float]) -> None:
        """Read the gauges from the engine when they are scraped."""
        self.work = lambda: int(waiting() + running())
        self.waiting.set_function(waiting)
        self.running.set_function(running)
        self.slots_used.set_function(slots)

    @contextmanager
    def stage(self, stage: str, span: Span | None = None) -> Iterator[None]:
        """Time one call of a stage, as a span too: ``span``, which ends with it, or a new one."""
        started = perf_counter()
        with span or spans.span(stage):
            yield
            observe(self.stage_seconds.labels(stage), perf_counter() - started)

    @contextmanager
    def load(self, tier: str, parent: Span | None = None) -> Iterator[None]:
        """Time and count one load from ``tier``, as a span too, part of ``parent`` (None: of where this runs)."""
        started = perf_counter()
        with spans.span("load", parent=parent, tier=tier):
            yield
            self.adapter_loads.labels(tier).inc()
            observe(self.adapter_load_seconds.labels(tier), perf_counter() - started)

    def request_ended(self, status: str, seconds: float) -> None:
        """Count a request, and how long it took."""
        self.requests.labels(status).inc()
        observe(self.request_seconds.labels(status), seconds)

    def looked_up(self, tier: str, found: bool) -> None:
        """Count a look-up."""
        self.cache_queries.labels(tier).inc()
        if found:
            self.cache_hits.labels(tier).inc()
