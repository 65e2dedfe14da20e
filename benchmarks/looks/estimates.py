"""Measures how right a training's first estimate is, as a customer sees it.

Trains people whom no net has seen, one after the other, with the bundled foundation's own recipe. A machine whose load
changes in mid-training makes any estimate wrong.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from benchmarks.report import Measured, Target
from benchmarks.shoot.people import Person
from benchmarks.shoot.report import Say
from benchmarks.shoot.studio import Studio
from headshots.client import Training, TrainingOptions

TARGETS = {
    "eta_error_least": Target(0.7, False, "first estimate after preparing over what it then took, the smallest"),
    "eta_error_most": Target(1.4, True, "the same, the largest"),
}


async def run(studio: Studio, trained: Sequence[Person], say: Say, options: TrainingOptions | None = None) -> Measured:
    """The smallest and the largest of the first estimates over what it then took.

    The first training of an installation prepares what the others share, so that it tells of preparing too.
    """
    rows = [await _one(studio, person, options, say) for person in trained]
    ratios = [row["ratio"] for row in rows]
    return Measured({"eta_error_least": min(ratios), "eta_error_most": max(ratios)}, {"estimates": rows})


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
