"""Scrapes that come together share one reading, and later ones read anew."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from headshots.telemetry.scrapes import SHARED_SECONDS, SharedCollector


class Counting(Collector):
    """Tells how often it was asked; fails when it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.fails = False

    def describe(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily("asked", "Times.")

    def collect(self) -> Iterator[GaugeMetricFamily]:
        self.asked += 1
        time.sleep(0.05)  # so that others come meanwhile
        if self.fails:
            raise RuntimeError("no answer")
        yield GaugeMetricFamily("asked", "Times.", value=self.asked)


def test_scrapes_that_come_together_read_once_and_later_ones_anew() -> None:
    now = 0.0
    inner, registry, all_here = Counting(), CollectorRegistry(), threading.Barrier(20)
    registry.register(SharedCollector(inner, clock=lambda: now))
    assert inner.asked == 0, "registering reads nothing"

    def scrape(_: int) -> bytes:
        all_here.wait(10)
        return generate_latest(registry)

    with ThreadPoolExecutor(20) as pool:
        answers = set(pool.map(scrape, range(20)))
    assert inner.asked == len(answers) == 1
    now = SHARED_SECONDS
    assert b"\nasked 1.0" in generate_latest(registry)
    now = SHARED_SECONDS * 1.001
    assert b"\nasked 2.0" in generate_latest(registry)


def test_a_failure_is_not_shared() -> None:
    inner = Counting()
    shared = SharedCollector(inner, clock=lambda: 0.0)
    inner.fails = True
    with pytest.raises(RuntimeError):
        list(shared.collect())
    inner.fails = False
    assert [family.samples[0].value for family in shared.collect()] == [2]
