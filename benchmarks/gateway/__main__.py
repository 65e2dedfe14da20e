"""Measures the gateway: ``python -m benchmarks.gateway`` (``make bench-gateway``).

So far how it routes requests to generators. Prints a table and writes ``out/bench/gateway.json``, in a minute.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.gateway import routing
from benchmarks.gateway.report import FULL, LIBRARIES, QUICK, TARGETS, Measured, Scale
from benchmarks.report import report, show, write

PARTS: dict[str, Callable[[Scale], Measured]] = {
    "hits": routing.run_hits,
    "scale_up": routing.run_scale_up,
    "decisions": routing.run_decisions,
}
OUT = Path("out/bench")


def main() -> int:
    """Measures, writes, shows; 1 when a figure misses its target in a full run."""
    given = _arguments()
    scale = QUICK if given.quick else FULL
    figures: dict[str, float] = {}
    details: dict[str, Any] = {"scale": asdict(scale), "quick": given.quick, "seconds": {}}
    details["load_average"] = {"before": os.getloadavg()}
    for name in given.only or PARTS:
        begin = time.monotonic()
        measured = PARTS[name](scale)
        details["seconds"][name] = round(time.monotonic() - begin, 1)
        figures |= measured.figures
        details |= measured.details
    details["load_average"]["after"] = os.getloadavg()
    result = report(TARGETS, figures, LIBRARIES, details)
    write(result, given.out / "gateway.json")
    show("the gateway" + (" (a quick pass)" if given.quick else ""), TARGETS, result)
    return int(not given.quick and False in result["met"].values())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT, help="folder of gateway.json")
    parser.add_argument("--quick", action="store_true", help="a pass that shows that it works; its figures mean little")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part; may be given again")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
