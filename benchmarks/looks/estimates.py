"""Measures how right a training's first estimate is, as a customer sees it: ``python -m benchmarks.looks.estimates``.

Trains people whom no net has seen, one after the other, with the bundled foundation's own recipe, through real services
on loopback. A minute to a minute and a half each on two cores that do nothing else; a machine whose load changes in
mid-training makes any estimate wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import Measured
from benchmarks.shoot.people import Person, people
from benchmarks.shoot.report import Say
from benchmarks.shoot.studio import Studio, open_studio
from headshots.client import Training, TrainingOptions

TRAININGS = 5
ENGINES = Path("out/engines").absolute()
LEAST, MOST = 0.7, 1.4
"""Between which the figure shall be."""


async def run(studio: Studio, trained: Sequence[Person], say: Say, options: TrainingOptions | None = None) -> Measured:
    """`eta_error`: of the first estimates over what it then took, the one that is farthest from 1.

    The first training of an installation prepares what the others share, so that it tells of preparing too.
    """
    rows = [await _one(studio, person, options, say) for person in trained]
    farthest = max((row["ratio"] for row in rows), key=lambda ratio: abs(math.log(ratio)))
    return Measured({"eta_error": farthest}, {"eta_error": rows})


async def _one(studio: Studio, person: Person, options: TrainingOptions | None, say: Say) -> dict[str, Any]:
    made = await studio.client.create_training(await studio.subject(person), options)
    begun, first, told, phases = time.monotonic(), 0.0, 0.0, list[str]()
    last: Training = made
    async for last in studio.client.watch_training(made):
        phase = last.progress.phase if last.progress is not None else ""
        if phase and phase not in phases[-1:]:
            phases.append(phase)
        if last.eta_seconds is not None and not first and last.step:
            first, told = time.monotonic(), last.eta_seconds
    last.raise_for_state()
    assert first, "it ended before it had measured anything; take more steps"
    ended = time.monotonic()
    ratio = told / (ended - first)
    say(f"{person.name}: told {told:.1f} s after {first - begun:.1f} s, took {ended - first:.1f} s: {ratio:.2f}")
    early = last.scores is not None and last.scores.stopped_early
    seconds = {"told": round(told, 1), "took": round(ended - first, 1), "before_it": round(first - begun, 1)}
    return {"person": person.name, "ratio": ratio, "seconds": seconds, "phases": phases, "stopped_early": early}


async def _measure(count: int, steps: int | None) -> Measured:
    options = TrainingOptions(steps=steps) if steps is not None else None
    with tempfile.TemporaryDirectory(prefix="headshots-estimates-") as folder:
        async with open_studio(Path(folder), ENGINES) as studio:
            return await run(studio, people(count), print, options)


def main() -> None:
    """Measure, and print all of it as JSON."""
    given = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    given.add_argument("--trainings", type=int, default=TRAININGS)
    given.add_argument("--steps", type=int, help="of each; default: the foundation's own recipe")
    asked = given.parse_args()
    found = asyncio.run(_measure(asked.trainings, asked.steps))
    print(json.dumps({"figures": found.figures, "details": found.details}, indent=2))


if __name__ == "__main__":
    main()
