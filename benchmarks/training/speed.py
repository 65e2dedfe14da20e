"""Measures optimizer steps a second, ours and the peer's: same foundation, photos, batch and resolution, alternating.

Each side lives in a process of its own, as it would in use: torch's threads, once started, go on waiting busily beside
whoever works next in the same process.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

from benchmarks.training import people
from benchmarks.training.peer import Peer
from benchmarks.training.plan import Plan
from benchmarks.training.work import caption, photo_files, side
from headshots.faces import open_analyzer
from headshots.processes.parent_death import end_with_parent
from services.trainer.lora.recipe import Recipe, TrainingOptions
from services.trainer.queue.job import JobRequest
from services.trainer.run.messages import Task
from services.trainer.run.photos import load_crops
from services.trainer.run.preparing import prepare

_BLOCKS, _WARM_UP = 4, 2

# Of a plan and a person, the number of steps that will be taken in all.
Steps = Callable[[Plan, int, int], Generator[object]]


def steps_per_second(plan: Plan, person: int = 0) -> dict[str, Any]:
    """Both sides' steps a second, and how many times faster ours are.

    Each as it would use the machine: ours as the service does, the peer with torch's default of a thread a CPU.
    """
    recipe = Recipe.resolve(plan.described)
    block = max(plan.timed_steps // _BLOCKS, 1)
    total = _BLOCKS * block
    # The environment is the trainer's for its child processes, and torch's defaults.
    sides = {
        "ours": _Side(_ours, plan, person, total, plan.cores.threads, {"OMP_WAIT_POLICY": "passive"}),
        "peer": _Side(_peer, plan, person, total, plan.threads, {}),
    }
    spent = dict.fromkeys(sides, 0.0)
    try:
        for one in sides.values():
            one.take(_WARM_UP)
        for _ in range(_BLOCKS):
            for name, one in sides.items():
                spent[name] += one.take(block)
    finally:
        for one in sides.values():
            one.close()
    rates = {name: total / seconds for name, seconds in spent.items()}
    return {
        "ours_steps_per_second": rates["ours"],
        "peer_steps_per_second": rates["peer"],
        "ratio": rates["ours"] / rates["peer"],
        "batch_rows": recipe.batch_rows,
        "threads": plan.threads,
        "our_processes": plan.cores.processes,
    }


class _Side:
    """A process that takes steps when it is told to, and else waits."""

    def __init__(
        self, steps: Steps, plan: Plan, person: int, count: int, threads: int, environment: Mapping[str, str]
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._end, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, os.getpid(), steps, plan, person, count, threads))
        with _changed({"OMP_NUM_THREADS": str(threads), **environment}):
            self._process.start()
        theirs.close()

    def take(self, count: int) -> float:
        """Seconds that ``count`` steps take."""
        self._end.send(count)
        seconds: float = self._end.recv()
        return seconds

    def close(self) -> None:
        """Let it go."""
        self._end.close()
        self._process.join()


def _serve(end: Connection, parent: int, steps: Steps, plan: Plan, person: int, count: int, threads: int) -> None:
    end_with_parent(parent)
    torch.set_num_threads(threads)
    taking = steps(plan, person, count)
    try:
        while True:
            end.send(_take(taking, end.recv()))
    except EOFError:
        taking.close()
        # Data-parallel processes end with this one; tearing torch down would only delay the end.
        os._exit(0)


@contextmanager
def _changed(environment: Mapping[str, str]) -> Iterator[None]:
    """What processes that are started within it see."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _peer(plan: Plan, person: int, steps: int) -> Generator[object]:
    """The peer's steps, without an end."""
    del steps
    with tempfile.TemporaryDirectory() as folder:
        files = photo_files(plan, person, Path(folder))
        recipe = Recipe.resolve(plan.described)
        yield from Peer(plan.foundation, files, caption(plan, person), recipe, side(plan)).steps()


def _ours(plan: Plan, person: int, steps: int) -> Generator[object]:
    """A run of which ``steps`` are timed after the warm-up."""
    photos = people.upload(plan.store, person, plan.selfies)
    # The bare foundation is asked in the run's first pass. Of the timed steps the same share asks as of a whole
    # training's, so that they cost what its steps cost on average.
    options = TrainingOptions(steps=steps + _WARM_UP * Recipe.resolve(plan.described).passes)
    request = JobRequest(photos, f"people/{person}/timed", people.class_noun(person), options)
    recipe = Recipe.resolve(plan.described, options)
    crops = load_crops(plan.store, photos, recipe, (side(plan), plan.described.native_height_px))
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
    prepared = prepare(
        task, crops, plan.store, plan.described, recipe, analyzer, torch.device("cpu"), lambda: None, print
    )
    yield from prepared.loop.steps()


def _take(steps: Iterator[object], count: int) -> float:
    """Seconds that ``count`` steps take."""
    begin = time.perf_counter()
    taken = sum(1 for _ in itertools.islice(steps, count))
    assert taken == count
    return time.perf_counter() - begin
