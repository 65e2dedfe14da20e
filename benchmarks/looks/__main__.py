"""Measures what a look promises: ``python -m benchmarks.looks`` (``make bench-looks``).

Prints a table and writes ``out/bench/looks.json``. Six people whom no net has seen are trained and painted through
real processes on loopback, with their data in a temporary folder. Run it on a machine that does nothing else: about
ten minutes on two cores.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.looks import team
from benchmarks.looks.report import FULL, LIBRARIES, QUICK, TARGETS, Say, Scale
from benchmarks.report import Measured
from benchmarks.running import Run, parser
from benchmarks.shoot.people import Person, people
from benchmarks.shoot.studio import Studio, open_studio

Part = Callable[[Studio, list[Person], Scale, Say], Coroutine[Any, Any, Measured]]
# More parts are measured in the same studio, in this order.
PARTS: dict[str, Part] = {"team": team.run}
ENGINES = Path("out/engines").absolute()


def main() -> int:
    """Measures, writes, shows; 1 when a figure misses its target in a full run."""
    given = parser("looks", __doc__, PARTS).parse_args()
    scale = QUICK if given.quick else FULL
    run = Run(scale=asdict(scale), quick=given.quick)
    asyncio.run(_measure([name for name in PARTS if not given.only or name in given.only], scale, run))
    return run.end("what a look promises", TARGETS, LIBRARIES, given.out / "looks.json")


async def _measure(parts: list[str], scale: Scale, run: Run) -> None:
    with tempfile.TemporaryDirectory(prefix="headshots-looks-") as folder:
        async with open_studio(Path(folder), ENGINES) as studio:
            for name in parts:
                with run.part(name) as add:
                    add(await PARTS[name](studio, people(scale.people), scale, _say(name)))


def _say(name: str) -> Say:
    return lambda line: print(f"{name}: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
