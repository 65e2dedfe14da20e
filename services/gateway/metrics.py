"""Defines the gateway's own metrics. No label names a tenant or a subject, as their number has no bound."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.engine import Engine

from headshots.acceptance.verdict import Acceptance, Verdict
from headshots.database import now_expression, read
from headshots.errors import HeadshotsError
from headshots.rpc.scrapes import SharedCollector
from headshots.schema import PENDING, RUNNING, SUCCEEDED, galleries, retentions, shoots, shots, trainings
from services.gateway.peers.metrics import RoutingMetrics

_LOG = logging.getLogger(__name__)
# Rows that ended are not counted: their number grows without end.
_STATES = (PENDING, RUNNING)
_SHOOT_BUCKETS = (60, 120, 180, 300, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200, 14400)
_TRY_BUCKETS = (1, 2, 3, 4, 5, 10)
_SHOT_BUCKETS = (0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 900)


class GatewayMetrics:
    """Counters of one gateway, and gauges of the whole installation read from its database at scrape time."""

    def __init__(self, registry: CollectorRegistry, engine: Engine, *, promised_shoot_seconds: float = 1800.0) -> None:
        """`promised_shoot_seconds`: within which shoots shall be finished."""
        self.routing, self.shoots = RoutingMetrics(registry), ShootMetrics(registry, promised_shoot_seconds)
        self.uploads = Counter(
            "headshots_gateway_uploads", "Photo streams, by how they ended.", ("status",), registry=registry
        )
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
        self.expired_subjects = Counter(
            "headshots_gateway_expired_subjects",
            "Subjects that this gateway began to erase because their time had come.",
            registry=registry,
        )
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
        for status in ("stored", "refused", "cut"):
            self.uploads.labels(status)
        registry.register(SharedCollector(_TableCollector(engine)))

    def decode_stopped(self, cause: str) -> None:
        """Counts a photo whose decoding had to be stopped."""
        self.stopped_decodes.labels(cause).inc()

    def judged(self, verdict: Verdict) -> None:
        """Counts the verdict on an image."""
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
            self._seconds.observe(seconds)
            self._promises.labels("kept" if seconds <= self._promised_seconds else "broken").inc()


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


class _TableCollector(Collector):
    """Counts rows that wait or run. Every gateway reports the same numbers: take their maximum, not their sum."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Names only, so that registering reads no database."""
        for name, help_text, _ in _FAMILIES:
            yield GaugeMetricFamily(name, help_text, labels=("state",))
        yield GaugeMetricFamily(*_OVERDUE)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The current counts; runs in the metrics server's thread."""
        for name, help_text, table in _FAMILIES:
            family = GaugeMetricFamily(name, help_text, labels=("state",))
            try:
                with read(self._engine) as connection:
                    query = sa.select(table.c.state, sa.func.count()).where(table.c.state.in_(_STATES))
                    rows = connection.execute(query.group_by(table.c.state))
                    counts = {row[0]: int(row[1]) for row in rows}
            except HeadshotsError:
                _LOG.exception("%s cannot be counted; left out of this scrape", name)
                continue
            for state in _STATES:
                family.add_metric((state,), counts.get(state, 0))
            yield family
        try:
            yield GaugeMetricFamily(*_OVERDUE, value=_overdue_seconds(self._engine))
        except HeadshotsError:
            _LOG.exception("%s cannot be read; left out of this scrape", _OVERDUE[0])


def _overdue_seconds(engine: Engine) -> float:
    with read(engine) as connection:
        late = now_expression(engine.dialect.name) - sa.func.min(retentions.c.expires_at)
        longest = connection.execute(sa.select(late).where(retentions.c.held_at.is_(None))).scalar()
    return max(0.0, longest or 0.0)


_OVERDUE = (
    "headshots_gateway_retention_overdue_seconds",
    "For how long the subject that should have been erased first is overdue, in seconds; 0 where none is.",
)
_FAMILIES = (
    ("headshots_gateway_galleries", "Galleries that wait or run, by state.", galleries),
    ("headshots_gateway_trainings", "Trainings that wait or run, by state.", trainings),
    ("headshots_gateway_shoots_rows", "Shoots that wait or run, by state.", shoots),
    ("headshots_gateway_shots_rows", "Shots that wait or run, by state.", shots),
)
