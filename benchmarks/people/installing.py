"""Installs the analyzer from the package index, and weighs it."""

from __future__ import annotations

import os
import time

from benchmarks.people.report import Order
from benchmarks.report import Measured
from headshots.faces.people.installing.install import install


def run(order: Order) -> Measured:
    """Seconds of a first installation; none where it was there already."""
    begin = time.monotonic()
    was_new = install(order.analyzer, [], os.environ, lambda line: print(line, flush=True))
    seconds = time.monotonic() - begin
    kept = sum(path.stat().st_size for path in order.analyzer.rglob("*") if path.is_file())
    figures = {"install_mb": kept / 1e6} | ({"install_seconds": round(seconds, 1)} if was_new else {})
    return Measured(figures, {})
