"""Optimizer steps a second, ours and the peer's: same foundation, photos, batch and resolution, in turns."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.training import people
from benchmarks.training.peer import Peer
from benchmarks.training.plan import Plan
from benchmarks.training.work import caption, photo_files, side
from headshots.faces import open_analyzer
from services.trainer.jobs import JobRequest
from services.trainer.options import Recipe, TrainingOptions
from services.trainer.photos import load_pictures
from services.trainer.preparing import prepare
from services.trainer.protocol import Task

_BLOCKS, _WARM_UP = 4, 2


def steps_per_second(plan: Plan, person: int = 0) -> dict[str, Any]:
    """Both sides' steps a second, and how many times faster ours are.

    Each as it would use the machine: ours as the service does, the peer with torch's default of a thread a CPU.
    """
    threads = {"ours": plan.cores.threads, "peer": plan.threads}
    torch.set_num_threads(plan.threads)
    with tempfile.TemporaryDirectory() as folder:
        files = photo_files(plan, person, Path(folder))
        recipe = Recipe.resolve(plan.described)
        peer = Peer(plan.foundation, files, caption(plan, person), recipe, side(plan)).steps()
        block = max(plan.timed_steps // _BLOCKS, 1)
        sides = {"ours": _ours(plan, person, _BLOCKS * block), "peer": peer}
        spent = dict.fromkeys(sides, 0.0)
        for name, steps in sides.items():
            torch.set_num_threads(threads[name])
            _take(steps, _WARM_UP)
        for _ in range(_BLOCKS):
            for name, steps in sides.items():
                torch.set_num_threads(threads[name])
                spent[name] += _take(steps, block)
    rates = {name: _BLOCKS * block / seconds for name, seconds in spent.items()}
    return {
        "ours_steps_per_second": rates["ours"],
        "peer_steps_per_second": rates["peer"],
        "ratio": rates["ours"] / rates["peer"],
        "batch_rows": recipe.batch_rows,
        "threads": plan.threads,
        "our_processes": plan.cores.processes,
    }


def _ours(plan: Plan, person: int, steps: int) -> Iterator[object]:
    """A run of which ``steps`` are timed after the warm-up."""
    photos = people.upload(plan.store, person, plan.selfies)
    # The bare foundation is asked in the run's first pass. Of the timed steps the same share asks as of a whole
    # training's, so that they cost what its steps cost on average.
    options = TrainingOptions(steps=steps + _WARM_UP * Recipe.resolve(plan.described).passes)
    request = JobRequest(photos, f"people/{person}/timed", people.class_noun(person), options)
    recipe = Recipe.resolve(plan.described, options)
    pictures = load_pictures(plan.store, photos, recipe, (side(plan), plan.described.native_height_px))
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
    analyzer = open_analyzer(plan.faces)
    prepared = prepare(task, pictures, plan.store, plan.described, recipe, analyzer, torch.device("cpu"), lambda: None)
    yield from prepared.run.steps()


def _take(steps: Iterator[object], count: int) -> float:
    """Seconds that ``count`` steps take."""
    begin = time.perf_counter()
    taken = sum(1 for _ in itertools.islice(steps, count))
    assert taken == count
    return time.perf_counter() - begin
