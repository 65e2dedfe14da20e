"""Shares what one scrape of Prometheus has read with those that come at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

# Prometheus scrapes every 15 seconds and more, so that its own scrapes read anew.
SHARED_SECONDS = 1.0


class SharedCollector(Collector):
    """A collector whose answer counts for a second: scrapes that come together read the database once, not each."""

    def __init__(self, inner: Collector, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._inner = inner
        self._clock = clock
        self._lock = threading.Lock()
        self._families: Sequence[Metric] = ()
        self._good_until = float("-inf")

    def describe(self) -> Iterator[Metric]:
        """The inner collector's names."""
        yield from self._inner.describe()  # type: ignore[attr-defined]

    def collect(self) -> Iterator[Metric]:
        """What the inner collector says, or said at most a second ago. Others wait while it is asked."""
        with self._lock:
            if self._clock() > self._good_until:
                self._families = list(self._inner.collect())
                self._good_until = self._clock() + SHARED_SECONDS
            families = self._families
        yield from families
