"""Measures optimizer steps a second of ours, of the plain peer and of the tuned one, who work in turns.

Same foundation, photos, rows of a step and resolution. Each as it would use the machine: ours as the service does; the
plain peer with torch's default, one process and a thread a CPU; the tuned one with a process a CPU and whichever of
:func:`benchmarks.training.peer.tunings` is the fastest here.
"""

from __future__ import annotations

import dataclasses
import statistics
import tempfile
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.training.peer import PLAIN, Peer, Tuning, tunings
from benchmarks.training.plan import Plan
from benchmarks.training.sides import Side
from benchmarks.training.work import caption, photo_files, side
from headshots.faces import open_analyzer
from services.trainer.lora.data_parallel import MIN_STEPS
from services.trainer.lora.recipe import Recipe, TrainingOptions
from services.trainer.queue.job import JobRequest
from services.trainer.run.messages import Task
from services.trainer.run.photos import load_crops
from services.trainer.run.preparing import prepare

_BLOCKS, _WARM_UP = 4, 2
# Of the steps that are timed, the share by which each tuning is tried.
_TRIED_SHARE = 0.1

OURS, UNTUNED, TUNED = "ours", "plain", "tuned"


@dataclass(frozen=True)
class Speeds:
    """What one number of rows showed: steps a second of each side in each repeat, and of each tuning when tried."""

    rows: int
    rates: Mapping[str, Sequence[float]]
    tried: Mapping[str, float]
    tuned_processes: int

    def ratio(self, other: str) -> dict[str, float]:
        """Ours over another side's: median of the repeats, lowest, highest."""
        ratios = [mine / theirs for mine, theirs in zip(self.rates[OURS], self.rates[other], strict=True)]
        return {"median": statistics.median(ratios), "lowest": min(ratios), "highest": max(ratios)}

    def told(self, plan: Plan) -> dict[str, Any]:
        """As JSON."""
        return {
            "batch_rows": self.rows,
            "threads": plan.threads,
            "our_processes": min(plan.cores.processes, self.rows) if plan.timed_steps >= MIN_STEPS else 1,
            "steps_per_second": {name: list(rates) for name, rates in self.rates.items()},
            "ratio": self.ratio(UNTUNED),
            "ratio_tuned": self.ratio(TUNED),
            "tuning": self.fastest,
            "tuned_processes": self.tuned_processes,
            "tunings_steps_per_second": dict(self.tried),
        }

    @property
    def fastest(self) -> str:
        """The name of the tuning that was taken."""
        return max(self.tried, key=self.tried.__getitem__)


def steps_per_second(plan: Plan, rows: int) -> dict[str, Any]:
    """All sides' steps a second with so many rows, over ``plan.timed_repeats`` people."""
    processes = _tuned_processes(plan, rows)
    # The environment is the trainer's for its child processes, and torch's defaults.
    sides = {
        OURS: Side(_ours, threads=plan.cores.threads, environment={"OMP_WAIT_POLICY": "passive"}),
        UNTUNED: Side(_peer, threads=plan.threads),
        TUNED: Side(_peer, processes=processes),
    }
    try:
        tried = {tuning.name: _tried(sides[TUNED], plan, rows, tuning) for tuning in tunings()}
        tuning = max(tunings(), key=lambda one: tried[one.name])
        repeats = [_in_turns(sides, plan, rows, tuning, person) for person in range(plan.timed_repeats)]
    finally:
        for one in sides.values():
            one.close()
    rates = {name: [repeat[name] for repeat in repeats] for name in sides}
    return Speeds(rows, rates, tried, processes).told(plan)


def _tuned_processes(plan: Plan, rows: int) -> int:
    """A process a CPU as far as the rows can be dealt out evenly, where ours has more than one too."""
    if plan.timed_steps < MIN_STEPS:
        return 1
    return max(count for count in range(1, plan.threads + 1) if rows % count == 0)


def _tried(peer: Side, plan: Plan, rows: int, tuning: Tuning) -> float:
    steps = max(round(_TRIED_SHARE * plan.timed_steps), 1)
    peer.open(plan, 0, rows, tuning)
    peer.take(_WARM_UP)
    return steps / peer.take(steps)


def _in_turns(sides: Mapping[str, Side], plan: Plan, rows: int, tuning: Tuning, person: int) -> dict[str, float]:
    """Each side's steps a second for one person; blocks of one follow those of the others."""
    block = max(plan.timed_steps // _BLOCKS, 1)
    total = _BLOCKS * block
    sides[OURS].open(plan, person, rows, total)
    sides[UNTUNED].open(plan, person, rows, PLAIN)
    sides[TUNED].open(plan, person, rows, tuning)
    spent = dict.fromkeys(sides, 0.0)
    for one in sides.values():
        one.take(_WARM_UP)
    for _ in range(_BLOCKS):
        for name, one in sides.items():
            spent[name] += one.take(block)
    return {name: total / seconds for name, seconds in spent.items()}


def _peer(plan: Plan, person: int, rows: int, tuning: Tuning) -> Generator[object]:
    """The peer's steps, without an end."""
    with tempfile.TemporaryDirectory() as folder:
        files = photo_files(plan, person, Path(folder))
        recipe = dataclasses.replace(Recipe.resolve(plan.described), batch_rows=rows)
        yield from Peer(plan.foundation, files, caption(plan, person), recipe, side(plan), tuning).steps()


def _ours(plan: Plan, person: int, rows: int, steps: int) -> Generator[object]:
    """A run of which ``steps`` are timed after the warm-up."""
    photos = plan.cast.upload(plan.store, person, plan.selfies)
    # The bare foundation is asked in the run's first pass. Of the timed steps the same share asks as of a whole
    # training's, so that they cost what its steps cost on average.
    passes = Recipe.resolve(plan.described).passes
    options = TrainingOptions(steps=steps + _WARM_UP * passes, batch_rows=rows)
    request = JobRequest(photos, f"{plan.cast.name}/{person}/timed", plan.cast.class_noun(person), options)
    recipe = Recipe.resolve(plan.described, options)
    size, analyzer = (side(plan), plan.described.native_height_px), open_analyzer(plan.faces)
    crops = load_crops(plan.store, photos, recipe, size, analyzer, head_height=plan.described.head_height)
    task = Task(
        job_id="timed",
        request=request,
        foundation=str(plan.foundation),
        foundation_digest=plan.digest,
        foundation_stamp="",
        store_url=plan.store_url,
        device="cpu",
        threads=plan.cores.threads,
        checkpoint_seconds=3600.0,
        processes=plan.cores.processes,
    )
    prepared = prepare(
        task, crops, plan.store, plan.described, recipe, analyzer, torch.device("cpu"), lambda: None, print
    )
    try:
        yield from prepared.loop.steps()
    finally:
        prepared.loop.end()
