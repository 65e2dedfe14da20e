"""Measures what the services withstand: ``python -m benchmarks.faults`` (``make bench-faults``).

Prints a table and writes ``out/bench/faults.json``. Everything is seeded, and runs against services that are processes
of their own on loopback, with their data in a temporary folder. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.faults import faults, fuzz, high_priority, photos, uploads, watchers
from benchmarks.faults.report import FULL, LIBRARIES, QUICK, TARGETS, Measured, Say, Scale
from benchmarks.report import report, show, write

Part = Callable[[Scale, int, Path, Say], Coroutine[Any, Any, Measured]]
PARTS: dict[str, Part] = {
    "photos": photos.run,
    "faults": faults.run,
    "fuzz": fuzz.run,
    "uploads": uploads.run,
    "watchers": watchers.run,
    "high_priority": high_priority.run,
}
OUT = Path("out/bench")


def main() -> int:
    """Measures, writes, shows; 1 when a figure misses its target in a full run."""
    given = _arguments()
    scale = QUICK if given.quick else FULL
    figures: dict[str, float] = {}
    details: dict[str, Any] = {"scale": asdict(scale), "quick": given.quick, "seed": given.seed, "seconds": {}}
    details["load_average"] = {"before": os.getloadavg()}
    for name in given.only or PARTS:
        begin = time.monotonic()
        measured = _run(name, scale, given.seed)
        details["seconds"][name] = round(time.monotonic() - begin, 1)
        figures |= measured.figures
        details |= measured.details
    details["load_average"]["after"] = os.getloadavg()
    result = report(TARGETS, figures, LIBRARIES, details)
    write(result, given.out / "faults.json")
    show("what the services withstand" + (" (a quick pass)" if given.quick else ""), TARGETS, result)
    return int(not given.quick and False in result["met"].values())


def _run(name: str, scale: Scale, seed: int) -> Measured:
    with tempfile.TemporaryDirectory(prefix="headshots-faults-") as folder:
        return asyncio.run(PARTS[name](scale, seed, Path(folder), lambda line: print(f"{name}: {line}", flush=True)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT, help="folder of faults.json")
    parser.add_argument("--quick", action="store_true", help="a pass that shows that it works; its figures mean little")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part; may be given again")
    parser.add_argument("--seed", type=int, default=0, help="of files, faults and calls")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
