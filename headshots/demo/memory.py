"""Measures the peak memory of the whole run."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

import psutil

INTERVAL_SECONDS = 0.25


class MemoryWatch:
    """Samples the resident memory of this process and of all that it has started, while the context is open.

    Pages that processes share are counted once for each, so the figure is at most too high; a peak shorter than the
    interval may be missed.
    """

    def __init__(self) -> None:
        self.peak_bytes = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="memory-watch", daemon=True)

    @property
    def peak_mb(self) -> float:
        """The largest sum so far, in MiB."""
        return self.peak_bytes / 2**20

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        ours = psutil.Process()
        while True:
            self.peak_bytes = max(self.peak_bytes, resident_bytes(ours))
            if self._ended.wait(INTERVAL_SECONDS):
                return


def resident_bytes(root: psutil.Process) -> int:
    """Resident memory of a process and its descendants, in bytes."""
    total = 0
    for process in (root, *root.children(recursive=True)):
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue  # it ended between the listing and the look
    return total
