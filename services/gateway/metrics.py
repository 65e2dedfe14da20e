"""Defines the gateway's own metrics. No label names a tenant or a subject, as their number has no bound."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from sqlalchemy.engine import Engine

from headshots.acceptance.verdict import Acceptance, Verdict
from headshots.schema import MAIN_POOL, SUCCEEDED
from headshots.telemetry.exemplars import observe
from headshots.telemetry.scrapes import SharedCollector
from services.gateway.peers.metrics import PoolMetrics
from services.gateway.quality_metrics import QualityMetrics
from services.gateway.table_metrics import TableCollector

_SHOOT_BUCKETS = (60, 120, 180, 300, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200, 14400)
_TRY_BUCKETS = (1, 2, 3, 4, 5, 10)
_SHOT_BUCKETS = (0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 900)


class GatewayMetrics:
    """Counters of one gateway, and gauges of the whole installation read from its database at scrape time."""

    def __init__(
        self,
        registry: CollectorRegistry,
        engine: Engine,
        *,
        promised_shoot_seconds: float = 1800.0,
        pools: Sequence[str] = (MAIN_POOL,),
    ) -> None:
        """`promised_shoot_seconds`: within which shoots shall be finished; `pools`: the names of all."""
        self.pools, self.shoots = PoolMetrics(registry, pools), ShootMetrics(registry, promised_shoot_seconds)
        self.uploads = _uploads(registry)
        self.photos = Counter("headshots_gateway_photos", "Photos stored.", registry=registry)
        self.refused_uploads = Counter(
            "headshots_gateway_refused_uploads", "Photo streams refused, by reason.", ("reason",), registry=registry
        )
        self.stopped_decodes = _stopped_decodes(registry)
        self.inspections, self.findings = _inspection_counters(registry)
        self.shots = _shots(registry)
        self.shot_seconds = Histogram(
            "headshots_gateway_shot_seconds",
            "Seconds from a shot's claim to its stored image.",
            registry=registry,
            buckets=_SHOT_BUCKETS,
        )
        self.verdicts, self.failed_checks = _verdict_counters(registry)
        self.quality = QualityMetrics(registry)
        self.expired_subjects, self.unreadable_receipts = _erasure_metrics(registry)
        self.shot_tries = Histogram(
            "headshots_gateway_shot_tries",
            "Seeds that were tried for a shot that ended with an image.",
            registry=registry,
            buckets=_TRY_BUCKETS,
        )
        self.shots_in_flight = Gauge(
            "headshots_gateway_shots_in_flight", "Shots that this gateway is working on.", registry=registry
        )
        self.watchers = Gauge(
            "headshots_gateway_watchers", "Open watch calls, by what is watched.", ("resource",), registry=registry
        )
        registry.register(SharedCollector(TableCollector(engine)))

    def decode_stopped(self, cause: str) -> None:
        """Counts a photo whose decoding had to be stopped."""
        self.stopped_decodes.labels(cause).inc()

    def judged(self, foundation_digest: str, verdict: Verdict, likeness: float | None, *, settled: bool) -> None:
        """Counts the verdict on an image; `settled`: whether its shot ended with it."""
        self.quality.judged(foundation_digest, verdict, likeness, settled=settled)
        self.verdicts.labels(verdict.acceptance.value).inc()
        for check in verdict.checks:
            if not check.passed:
                self.failed_checks.labels(check.reason).inc()

    @contextlib.contextmanager
    def watching(self, resource: str) -> Iterator[None]:
        """Counts one watch call for as long as the block runs."""
        gauge = self.watchers.labels(resource)
        gauge.inc()
        try:
            yield
        finally:
            gauge.dec()


class ShootMetrics:
    """Counts shoots by how they ended, and holds their time against the promise. Each shoot is counted once."""

    def __init__(self, registry: CollectorRegistry, promised_seconds: float) -> None:
        self._promised_seconds = promised_seconds
        self._ended = Counter(
            "headshots_gateway_shoots",
            "Shoots that ended, by outcome, and by guarantee: met, not_met, not_measured, or none where it failed.",
            ("outcome", "guarantee"),
            registry=registry,
        )
        self._seconds = Histogram(
            "headshots_gateway_shoot_seconds",
            "Seconds from a shoot's acceptance to its end, of those that succeeded.",
            registry=registry,
            buckets=_SHOOT_BUCKETS,
        )
        self._promises = Counter(
            "headshots_gateway_shoot_promises",
            "Shoots that succeeded, by whether within the promised time: kept or broken.",
            ("promise",),
            registry=registry,
        )
        promised = Gauge(
            "headshots_gateway_shoot_promised_seconds",
            "Seconds within which shoots shall be finished, as set.",
            registry=registry,
        )
        promised.set(promised_seconds)
        for promise in ("kept", "broken"):
            self._promises.labels(promise)
        for guarantee in ("met", "not_met", "not_measured"):
            self._ended.labels("succeeded", guarantee)
        for outcome in ("failed", "cancelled"):
            self._ended.labels(outcome, "none")

    def ended(self, outcome: str, guarantee: str, *, seconds: float) -> None:
        """Counts a shoot; `outcome` is its state, `seconds` are from its acceptance to its end."""
        self._ended.labels(outcome, guarantee).inc()
        if outcome == SUCCEEDED:
            observe(self._seconds, seconds)
            self._promises.labels("kept" if seconds <= self._promised_seconds else "broken").inc()


def _uploads(registry: CollectorRegistry) -> Counter:
    name, text = "headshots_gateway_uploads", "Photo streams, by how they ended."
    uploads = Counter(name, text, ("status",), registry=registry)
    for status in ("stored", "refused", "cut"):
        uploads.labels(status)
    return uploads


def _shots(registry: CollectorRegistry) -> Counter:
    counter = Counter(
        "headshots_gateway_shots",
        "Shots that this gateway stopped working on, by how: succeeded, failed, cancelled, retried, or refused: another"
        " seed is tried.",
        ("status",),
        registry=registry,
    )
    for status in ("succeeded", "failed", "cancelled", "retried", "refused"):
        counter.labels(status)
    return counter


def _stopped_decodes(registry: CollectorRegistry) -> Counter:
    stopped = Counter(
        "headshots_gateway_stopped_decodes",
        "Photos whose decoding was stopped, by why: cpu, time, memory or crash.",
        ("cause",),
        registry=registry,
    )
    for cause in ("cpu", "time", "memory", "crash"):
        stopped.labels(cause)
    return stopped


def _inspection_counters(registry: CollectorRegistry) -> tuple[Counter, Counter]:
    inspections = Counter(
        "headshots_gateway_inspections",
        "Inspections of photos, by verdict: ready to train or not_ready.",
        ("verdict",),
        registry=registry,
    )
    for verdict in ("ready", "not_ready"):
        inspections.labels(verdict)
    findings = Counter(
        "headshots_gateway_photo_findings",
        "What inspections found wrong with photos and sets, by reason.",
        ("reason",),
        registry=registry,
    )
    return inspections, findings


def _erasure_metrics(registry: CollectorRegistry) -> tuple[Counter, Gauge]:
    expired = Counter(
        "headshots_gateway_expired_subjects",
        "Subjects that this gateway began to erase because their time had come.",
        registry=registry,
    )
    unreadable = Gauge(
        "headshots_gateway_unreadable_receipts",
        "Folders in the log of erasures with copies of receipts that this gateway could not read.",
        registry=registry,
    )
    return expired, unreadable


def _verdict_counters(registry: CollectorRegistry) -> tuple[Counter, Counter]:
    verdicts = Counter(
        "headshots_gateway_verdicts",
        "Images that were judged, by outcome: accepted, refused or not_measured.",
        ("acceptance",),
        registry=registry,
    )
    for acceptance in Acceptance:
        verdicts.labels(acceptance.value)
    failed = Counter(
        "headshots_gateway_failed_checks", "Checks that images did not pass, by reason.", ("reason",), registry=registry
    )
    return verdicts, failed
