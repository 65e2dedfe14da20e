"""Measures what people see: ``python -m benchmarks.looks`` (``make bench-looks``).

Prints a table and writes ``out/bench/looks.json``: first estimates of trainings, a team in one look, remixes of one
thing, words that the command line cuts. People whom no net has seen are trained and painted through real processes on
loopback, with their data in a temporary folder. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.looks import estimates, remixes, team, words
from benchmarks.looks.report import FULL, LIBRARIES, QUICK, TARGETS, Say, Scale
from benchmarks.report import Measured
from benchmarks.running import Run, parser
from benchmarks.shoot.people import Person, people
from benchmarks.shoot.studio import Studio, open_studio
from headshots.client import TrainingOptions

Part = Callable[[Studio, list[Person], Scale, Say], Coroutine[Any, Any, Measured]]


async def _estimates(studio: Studio, known: list[Person], scale: Scale, say: Say) -> Measured:
    options = TrainingOptions(steps=scale.steps) if scale.steps is not None else None
    return await estimates.run(studio, known[: scale.trainings], say, options)


async def _remixes(studio: Studio, known: list[Person], scale: Scale, say: Say) -> Measured:
    return await remixes.remixes(studio, known[: scale.remixed], say)


async def _words(studio: Studio, known: list[Person], scale: Scale, say: Say) -> Measured:
    return await asyncio.to_thread(words.words_cut_in_terminal)


# In this order, in the same studio: who is trained by one is so for the others.
PARTS: dict[str, Part] = {"estimates": _estimates, "team": team.run, "remixes": _remixes, "words": _words}
ENGINES = Path("out/engines").absolute()


def main() -> int:
    """Measures, writes, shows; 1 when a figure misses its target in a full run."""
    given = parser("looks", __doc__, PARTS).parse_args()
    scale = QUICK if given.quick else FULL
    run = Run(scale=asdict(scale), quick=given.quick)
    asyncio.run(_measure([name for name in PARTS if not given.only or name in given.only], scale, run))
    return run.end("what people see", TARGETS, LIBRARIES, given.out / "looks.json")


async def _measure(parts: list[str], scale: Scale, run: Run) -> None:
    with tempfile.TemporaryDirectory(prefix="headshots-looks-") as folder:
        async with open_studio(Path(folder), ENGINES) as studio:
            for name in parts:
                with run.part(name) as add:
                    add(await PARTS[name](studio, people(max(scale.people, scale.trainings)), scale, _say(name)))


def _say(name: str) -> Say:
    return lambda line: print(f"{name}: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
