"""The trainer's Prometheus metrics.

The gauges are read from the database when they are scraped, so every replica reports the same, whole queue: take
``max`` over replicas, not ``sum``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.engine import Engine

from headshots.errors import UnavailableError
from headshots.schema import PENDING, RUNNING, TERMINAL_STATES
from headshots.telemetry.exemplars import observe
from headshots.telemetry.scrapes import SharedCollector
from services.trainer.queue import rows
from services.trainer.selection.scores import TrainingScores

log = logging.getLogger(__name__)

T = TypeVar("T")

_JOB_BUCKETS = (5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200, 1800, 3600, 7200)
# Cosines of the chosen checkpoint's portraits to held-out photos.
_LIKENESS_BUCKETS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
VERDICTS = ("passed", "not_passed", "not_measured")
# As the doctor and the gateway write digests.
_DIGITS = 12
_STEP_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2.5, 5, 10)


class Metrics:
    """The histograms and the counters; the gauges are registered with them."""

    def __init__(self, registry: CollectorRegistry, engine: Engine, foundation_digest: str) -> None:
        """``foundation_digest``: of the only foundation that this trainer trains on."""
        self.job_seconds = Histogram(
            "headshots_trainer_job_seconds",
            "Seconds from the start of a training's last run to its end, by how it ended.",
            ("status",),
            registry=registry,
            buckets=_JOB_BUCKETS,
        )
        # From the first scrape: the first increase of a series that was not there is none to Prometheus.
        for state in TERMINAL_STATES:
            self.job_seconds.labels(state)
        self.step_seconds = Histogram(
            "headshots_trainer_step_seconds",
            "Seconds of one optimizer step.",
            registry=registry,
            buckets=_STEP_BUCKETS,
        )
        self.lease_expired = Counter(
            "headshots_trainer_lease_expired",
            "Trainings taken over from a worker whose lease ran out.",
            registry=registry,
        )
        registry.register(SharedCollector(_QueueCollector(engine)))
        foundation = foundation_digest[:_DIGITS]
        verdicts = Counter(
            "headshots_trainer_verdicts",
            "Trainings that succeeded, by what their scores say: passed, not_passed or not_measured.",
            ("foundation", "verdict"),
            registry=registry,
        )
        self._verdicts = {verdict: verdicts.labels(foundation, verdict) for verdict in VERDICTS}
        self._likeness = Histogram(
            "headshots_trainer_likeness",
            "Likeness of the chosen checkpoint's portraits to held-out photos, a cosine; where it was measured.",
            ("foundation",),
            registry=registry,
            buckets=_LIKENESS_BUCKETS,
        ).labels(foundation)

    def scored(self, scores: TrainingScores) -> None:
        """Count the result of a training that succeeded."""
        if scores.likeness is None:
            self._verdicts["not_measured"].inc()
            return
        self._verdicts["passed" if scores.passed else "not_passed"].inc()
        observe(self._likeness, scores.likeness)


class _QueueCollector(Collector):
    """Reads the gauges from the database: jobs that wait or run, and the age of the oldest that waits."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The names only, so that registering makes no database call."""
        yield GaugeMetricFamily("headshots_trainer_jobs", "Trainings that wait or run, by state.", labels=["state"])
        yield GaugeMetricFamily("headshots_trainer_oldest_waiting_seconds", "Age of the oldest waiting training.")

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Both gauges; neither while the database is unavailable: no number is better than an old one."""
        counts = self._query(rows.counts)
        oldest = self._query(rows.oldest_waiting_seconds)
        if counts is None or oldest is None:
            return
        by_state, age = self.describe()
        for state in (PENDING, RUNNING):
            by_state.add_metric([state], counts.get(state, 0))
        age.add_metric([], oldest)
        yield from (by_state, age)

    def _query(self, query: Callable[[Engine], T]) -> T | None:
        try:
            return query(self._engine)
        except UnavailableError as error:
            log.warning("the queue's metrics are missing from this scrape: %s", error.message)
            return None
