"""Measures what the services withstand: ``python -m benchmarks.faults`` (``make bench-faults``).

Prints a table and writes ``out/bench/faults.json``. Everything is seeded, and runs against services that are processes
of their own on loopback, with their data in a temporary folder. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.faults import faults, fuzz, high_priority, photos, uploads, watchers
from benchmarks.faults.report import FULL, LIBRARIES, QUICK, TARGETS, Say, Scale
from benchmarks.report import Measured
from benchmarks.running import Run, parser

Part = Callable[[Scale, int, Path, Say], Coroutine[Any, Any, Measured]]
PARTS: dict[str, Part] = {
    "photos": photos.run,
    "faults": faults.run,
    "fuzz": fuzz.run,
    "uploads": uploads.run,
    "watchers": watchers.run,
    "high_priority": high_priority.run,
}


def main() -> int:
    """Measures, writes, shows; 1 when a figure misses its target in a full run."""
    given = parser("faults", __doc__, PARTS, seed="of files, faults and calls").parse_args()
    scale = QUICK if given.quick else FULL
    run = Run(scale=asdict(scale), quick=given.quick, seed=given.seed)
    for name in given.only or PARTS:
        with run.part(name) as add:
            add(_run(name, scale, given.seed))
    return run.end("what the services withstand", TARGETS, LIBRARIES, given.out / "faults.json")


def _run(name: str, scale: Scale, seed: int) -> Measured:
    with tempfile.TemporaryDirectory(prefix="headshots-faults-") as folder:
        return asyncio.run(PARTS[name](scale, seed, Path(folder), lambda line: print(f"{name}: {line}", flush=True)))


if __name__ == "__main__":
    sys.exit(main())
