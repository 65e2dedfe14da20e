"""Measures the analyzer for photos of real people: ``python -m benchmarks.people`` (``make bench-people``).

Installs it into a temporary folder, then looks at two photos in the public domain, which packages of the index carry,
at pictures made of them, and at those of ``--folder FOLDER/PERSON/PHOTO``. Nothing is kept of any photo. Prints a table
and writes ``out/bench/people.json``, in two minutes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.people import installing, judging
from benchmarks.people.report import LIBRARIES, TARGETS, Measured, Order
from benchmarks.report import report, show, write

PARTS: dict[str, Callable[[Order], Measured]] = {
    "install": installing.run,
    "faces": judging.run_faces,
    "verdicts": judging.run_verdicts,
    "time": judging.run_time,
}
OUT = Path("out/bench")
CALLS, QUICK_CALLS = 25, 3


def main() -> int:
    """Measures, writes, shows; 1 when a figure misses its target."""
    given = _arguments()
    figures: dict[str, float] = {}
    details: dict[str, Any] = {"quick": given.quick, "load_average": {"before": os.getloadavg()}, "seconds": {}}
    with tempfile.TemporaryDirectory(prefix="headshots-people-") as folder:
        analyzer = given.analyzer or Path(folder) / "analyzers" / "people"
        order = Order(analyzer, given.folder, QUICK_CALLS if given.quick else CALLS)
        for name in PARTS:
            begin = time.monotonic()
            measured = PARTS[name](order)
            details["seconds"][name] = round(time.monotonic() - begin, 1)
            figures |= measured.figures
            details |= measured.details
    details["load_average"]["after"] = os.getloadavg()
    result = report(TARGETS, figures, LIBRARIES, details)
    write(result, given.out / "people.json")
    show("the analyzer for photos of real people", TARGETS, result)
    for line in details["verdicts"]["wrong"]:
        print(line)
    return int(not given.quick and False in result["met"].values())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.people", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT, help="folder of people.json")
    parser.add_argument("--quick", action="store_true", help="fewer timed calls")
    parser.add_argument("--folder", type=Path, help="more photos: FOLDER/PERSON/PHOTO")
    parser.add_argument("--analyzer", type=Path, help="folder of an installed analyzer, instead of a new one")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
