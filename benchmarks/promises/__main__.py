"""Measures what is promised to people: ``python -m benchmarks.promises`` (``make bench-promises``).

That they can be erased whatever happens, that nothing is done with them past their time, and that their pictures say
what they are. Prints a table and writes ``out/bench/promises.json``. The erasures run through real services on loopback
with their data in a temporary folder. The pictures are renders, and cuts of a photo where ``--photo``
names one that is in the public domain (as scikit-image's ``astronaut.png``).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.promises import erasures, expired, files, sweeping, watermarks
from benchmarks.promises.report import FULL, LIBRARIES, QUICK, TARGETS, Measured, Order
from benchmarks.report import report, show, write

PARTS: dict[str, Callable[[Order], Measured]] = {
    "erasures": erasures.run,
    "expired": expired.run,
    "sweeping": sweeping.run,
    "time": files.run_time,
    "flips": files.run_flips,
    "watermark": watermarks.run,
    "unmarked": watermarks.run_unmarked,
}
OUT = Path("out/bench")


def main() -> int:
    """Measures, writes, shows; 1 when a figure misses its target in a full run."""
    given = _arguments()
    scale = QUICK if given.quick else FULL
    scale = replace(scale, unmarked=given.unmarked or scale.unmarked)
    figures: dict[str, float] = {}
    details: dict[str, Any] = {"scale": asdict(scale), "quick": given.quick, "seed": given.seed, "seconds": {}}
    details["load_average"] = {"before": os.getloadavg()}
    for name in given.only or PARTS:
        begin = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="headshots-promises-") as folder:
            measured = PARTS[name](Order(scale, given.seed, given.photo, Path(folder)))
        details["seconds"][name] = round(time.monotonic() - begin, 1)
        print(f"{name}: {measured.figures}", flush=True)
        figures |= measured.figures
        details |= measured.details
    details["load_average"]["after"] = os.getloadavg()
    result = report(TARGETS, figures, LIBRARIES, details)
    write(result, given.out / "promises.json")
    show("what is promised to people" + (" (a quick pass)" if given.quick else ""), TARGETS, result)
    return int(not given.quick and False in result["met"].values())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.promises", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT, help="folder of promises.json")
    parser.add_argument("--quick", action="store_true", help="a pass that shows that it works; its figures mean little")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part; may be given again")
    parser.add_argument("--seed", type=int, default=0, help="of pictures, marks and changes")
    parser.add_argument("--photo", type=Path, help="a photo in the public domain; every fourth picture is a cut of it")
    parser.add_argument("--unmarked", type=int, help="so many unmarked images instead of 10,000")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
