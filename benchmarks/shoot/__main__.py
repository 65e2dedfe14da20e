"""Measures what a shoot promises: ``python -m benchmarks.shoot`` (``make bench-shoot``).

Prints a table and writes ``out/bench/shoot.json``. Six people whom no net has seen are trained and painted through
real processes on loopback, with their data in a temporary folder. Run it on a machine that does nothing else: about
three quarters of an hour on two cores.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.report import Measured
from benchmarks.running import Run, parser
from benchmarks.shoot import alone, kills, shoots, strangers
from benchmarks.shoot.people import Person, people
from benchmarks.shoot.report import FULL, LIBRARIES, QUICK, TARGETS, Say, Scale
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
ENGINES = Path("out/engines").absolute()


def main() -> int:
    """Measures, writes, shows; 1 when a figure misses its target in a full run."""
    given = parser("shoot", __doc__, PARTS).parse_args()
    scale = QUICK if given.quick else FULL
    run = Run(scale=asdict(scale), quick=given.quick)
    asyncio.run(_measure(_parts(given.only), scale, run))
    return run.end("what a shoot promises", TARGETS, LIBRARIES, given.out / "shoot.json")


async def _measure(parts: list[str], scale: Scale, run: Run) -> None:
    with tempfile.TemporaryDirectory(prefix="headshots-shoot-") as folder:
        async with open_studio(Path(folder), ENGINES) as studio:
            for name in parts:
                with run.part(name) as add:
                    add(await PARTS[name](studio, people(scale.people), scale, _say(name)))


def _say(name: str) -> Say:
    return lambda line: print(f"{name}: {line}", flush=True)


def _parts(only: list[str] | None) -> list[str]:
    """Those asked for, in their order, with the shoots that kills need."""
    wanted = set(only or PARTS)
    if "kills" in wanted:
        wanted.add("shoots")
    return [name for name in PARTS if name in wanted]


if __name__ == "__main__":
    sys.exit(main())
