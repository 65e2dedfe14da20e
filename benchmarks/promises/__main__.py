"""Measures what is promised to people: ``python -m benchmarks.promises`` (``make bench-promises``).

That they can be erased whatever happens, that nothing is done with them past their time, and that their pictures say
what they are. Prints a table and writes ``out/bench/promises.json``. The erasures run through real services on loopback
with their data in a temporary folder. The pictures are renders, and cuts of a photo where ``--photo``
names one that is in the public domain (as scikit-image's ``astronaut.png``).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.promises import erasures, expired, files, sweeping, watermarks
from benchmarks.promises.report import FULL, LIBRARIES, QUICK, TARGETS, Order
from benchmarks.report import Measured
from benchmarks.running import Run, parser

PARTS: dict[str, Callable[[Order], Measured]] = {
    "erasures": erasures.run,
    "expired": expired.run,
    "sweeping": sweeping.run,
    "time": files.run_time,
    "flips": files.run_flips,
    "watermark": watermarks.run,
    "unmarked": watermarks.run_unmarked,
}


def main() -> int:
    """Measures, writes, shows; 1 when a figure misses its target in a full run."""
    given = _arguments()
    scale = QUICK if given.quick else FULL
    scale = replace(scale, unmarked=given.unmarked or scale.unmarked)
    run = Run(scale=asdict(scale), quick=given.quick, seed=given.seed)
    for name in given.only or PARTS:
        with run.part(name) as add, tempfile.TemporaryDirectory(prefix="headshots-promises-") as folder:
            measured = PARTS[name](Order(scale, given.seed, given.photo, Path(folder)))
            add(measured)
        print(f"{name}: {measured.figures}", flush=True)
    return run.end("what is promised to people", TARGETS, LIBRARIES, given.out / "promises.json")


def _arguments() -> argparse.Namespace:
    made = parser("promises", __doc__, PARTS, seed="of pictures, marks and changes")
    made.add_argument("--photo", type=Path, help="a photo in the public domain; every fourth picture is a cut of it")
    made.add_argument("--unmarked", type=int, help="so many unmarked images instead of 10,000")
    return made.parse_args()


if __name__ == "__main__":
    sys.exit(main())
