"""Measures the analyzer for photos of real people: ``python -m benchmarks.people`` (``make bench-people``).

Installs it into a temporary folder, then looks at two photos in the public domain, which packages of the index carry,
at pictures made of them, and at those of ``--folder FOLDER/PERSON/PHOTO``. Nothing is kept of any photo. Prints a table
and writes ``out/bench/people.json``, in two minutes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.people import installing, judging, traits
from benchmarks.people.report import LIBRARIES, TARGETS, Order
from benchmarks.report import Measured
from benchmarks.running import Run, parser

PARTS: dict[str, Callable[[Order], Measured]] = {
    "install": installing.run,
    "faces": judging.run_faces,
    "verdicts": judging.run_verdicts,
    "traits": traits.run,
    "time": judging.run_time,
}
CALLS, QUICK_CALLS = 25, 3


def main() -> int:
    """Measures, writes, shows; 1 when a figure misses its target in a full run."""
    given = _arguments()
    run = Run(quick=given.quick)
    with tempfile.TemporaryDirectory(prefix="headshots-people-") as folder:
        analyzer = given.analyzer or Path(folder) / "analyzers" / "people"
        order = Order(analyzer, given.folder, QUICK_CALLS if given.quick else CALLS)
        for name in given.only or PARTS:
            with run.part(name) as add:
                add(PARTS[name](order))
    code = run.end("the analyzer for photos of real people", TARGETS, LIBRARIES, given.out / "people.json")
    for line in run.details.get("verdicts", {}).get("wrong", ()):
        print(line)
    return code


def _arguments() -> argparse.Namespace:
    made = parser("people", __doc__, PARTS)
    made.add_argument("--folder", type=Path, help="more photos: FOLDER/PERSON/PHOTO")
    made.add_argument("--analyzer", type=Path, help="folder of an installed analyzer, instead of a new one")
    return made.parse_args()


if __name__ == "__main__":
    sys.exit(main())
