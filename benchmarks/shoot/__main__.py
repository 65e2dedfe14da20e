"""Measures what a shoot promises: ``python -m benchmarks.shoot`` (``make bench-shoot``).

Prints a table and writes ``out/bench/shoot.json``. Six people whom no net has seen are trained and painted through
real processes on loopback, with their data in a temporary folder. Run it on a machine that does nothing else: about
three quarters of an hour on two cores.
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

from benchmarks.report import report, show, write
from benchmarks.shoot import alone, kills, shoots, strangers
from benchmarks.shoot.people import Person, people
from benchmarks.shoot.report import FULL, LIBRARIES, QUICK, TARGETS, Measured, Say, Scale
from benchmarks.shoot.studio import Studio, open_studio

Part = Callable[[Studio, list[Person], Scale, Say], Coroutine[Any, Any, Measured]]
# Kills are held against the undisturbed shoots, which therefore come first.
PARTS: dict[str, Part] = {
    "shoots": shoots.run,
    "true_pictures": strangers.false_refusals,
    "siblings": strangers.false_accepts,
    "overhead": alone.run,
    "kills": kills.run,
}
OUT, ENGINES = Path("out/bench"), Path("out/engines").absolute()


def main() -> int:
    """Measures, writes, shows; 1 when a figure misses its target in a full run."""
    given = _arguments()
    scale = QUICK if given.quick else FULL
    details: dict[str, Any] = {"scale": asdict(scale), "quick": given.quick, "seconds": {}}
    details["load_average"] = {"before": os.getloadavg()}
    figures: dict[str, float] = asyncio.run(_measure(_parts(given.only), scale, details))
    details["load_average"]["after"] = os.getloadavg()
    result = report(TARGETS, figures, LIBRARIES, details)
    write(result, given.out / "shoot.json")
    show("what a shoot promises" + (" (a quick pass)" if given.quick else ""), TARGETS, result)
    return int(not given.quick and False in result["met"].values())


async def _measure(parts: list[str], scale: Scale, details: dict[str, Any]) -> dict[str, float]:
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="headshots-shoot-") as folder:
        async with open_studio(Path(folder), ENGINES) as studio:
            for name in parts:
                begin = time.monotonic()
                measured = await PARTS[name](studio, people(scale.people), scale, _say(name))
                details["seconds"][name] = round(time.monotonic() - begin, 1)
                figures |= measured.figures
                details |= measured.details
    return figures


def _say(name: str) -> Say:
    return lambda line: print(f"{name}: {line}", flush=True)


def _parts(only: list[str] | None) -> list[str]:
    """Those asked for, in their order, with the shoots that kills need."""
    wanted = set(only or PARTS)
    if "kills" in wanted:
        wanted.add("shoots")
    return [name for name in PARTS if name in wanted]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shoot", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT, help="folder of shoot.json")
    parser.add_argument("--quick", action="store_true", help="a pass that shows that it works; its figures mean little")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part; may be given again")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
