"""Measures how right a training's first estimate is, as a customer sees it.

Trains people whom no net has seen, one after the other, with the bundled foundation's own recipe. A machine whose load
changes in mid-training makes any estimate wrong.
"""

from __future__ import annotations

import itertools
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
    begun = time.monotonic()
    seen = [(time.monotonic() - begun, now) async for now in studio.client.watch_training(made)]
    seen[-1][1].raise_for_state()
    row = row_of(seen)
    told, took, before = row["seconds"].values()
    say(f"{person.name}: told {told} s after {before} s, took {took} s: {row['ratio']:.2f}")
    return {"person": person.name, **row}


def row_of(seen: Sequence[tuple[float, Training]]) -> dict[str, Any]:
    """How right the first estimate was; `seen`: the states of a training that ended, each with seconds since its order.

    An estimate counts from the first optimizer step on: before it tells of preparing alone.
    """
    estimates = [(at, now.eta_seconds) for at, now in seen if now.eta_seconds is not None and now.step]
    assert estimates, "it ended before it had measured anything; take more steps"
    (first, told), (ended, last) = estimates[0], seen[-1]
    phases = [now.progress.phase for _, now in seen if now.progress is not None and now.progress.phase]
    seconds = {"told": round(told, 1), "took": round(ended - first, 1), "before_it": round(first, 1)}
    return {
        "ratio": told / (ended - first),
        "seconds": seconds,
        "phases": [phase for phase, _ in itertools.groupby(phases)],
        "stopped_early": last.scores is not None and last.scores.stopped_early,
    }
