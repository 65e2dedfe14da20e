"""Runs the sides of a comparison in processes of their own, as they would be in use, and lets them work in turns.

Torch's threads, once started, go on waiting busily beside whoever works next in the same process; so nobody does.
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
import torch.distributed as dist

from headshots.processes.parent_death import end_with_parent

# Of whatever arguments: a generator that takes a step each time it is asked.
Steps = Callable[..., Generator[object]]


class Side:
    """Processes that take steps when they are told to, and else wait.

    More than one meet in a torch.distributed group (gloo), as ``accelerate launch --cpu`` starts them.
    """

    def __init__(
        self, steps: Steps, *, processes: int = 1, threads: int = 1, environment: Mapping[str, str] | None = None
    ) -> None:
        """``steps``: of the top level of a module; ``threads``: of each process."""
        context = multiprocessing.get_context("spawn")
        self._folder = tempfile.TemporaryDirectory(prefix="headshots-bench-")
        self._ends: list[Connection] = []
        self._processes = []
        for rank in range(processes):
            end, theirs = context.Pipe()
            arguments = (theirs, os.getpid(), steps, threads, (rank, processes, self._folder.name))
            process = context.Process(target=_serve, args=arguments)
            with _changed({"OMP_NUM_THREADS": str(threads), **(environment or {})}):
                process.start()
            theirs.close()
            self._ends.append(end)
            self._processes.append(process)

    def open(self, *arguments: object) -> None:
        """End what was taken so far, and begin ``steps(*arguments)``."""
        self._ask(arguments)

    def take(self, count: int) -> float:
        """Seconds that ``count`` steps take."""
        return max(self._ask(count))

    def close(self) -> None:
        """Let it go."""
        for end in self._ends:
            end.close()
        for process in self._processes:
            process.join()
        self._folder.cleanup()

    def _ask(self, what: object) -> list[float]:
        for end in self._ends:
            end.send(what)
        return [float(end.recv()) for end in self._ends]


def take(steps: Iterator[object], count: int) -> float:
    """Seconds that ``count`` steps take."""
    begin = time.perf_counter()
    taken = sum(1 for _ in itertools.islice(steps, count))
    assert taken == count
    return time.perf_counter() - begin


def _serve(end: Connection, parent: int, steps: Steps, threads: int, place: tuple[int, int, str]) -> None:
    end_with_parent(parent)
    torch.set_num_threads(threads)
    _meet(*place)
    taking: Generator[object] | None = None
    try:
        while True:
            asked: Any = end.recv()
            if isinstance(asked, int):
                assert taking is not None
                end.send(take(taking, asked))
                continue
            if taking is not None:
                taking.close()
            taking = steps(*asked)
            end.send(0.0)
    except EOFError:
        if taking is not None:
            taking.close()
        # Tearing torch down would only delay the end.
        os._exit(0)


def _meet(rank: int, processes: int, folder: str) -> None:
    """Join the group of a side's processes; the names in the environment are those by which accelerate knows of it."""
    if processes == 1:
        return
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank))
    os.environ.update(WORLD_SIZE=str(processes), LOCAL_WORLD_SIZE=str(processes))
    meeting = (Path(folder).absolute() / "group").as_uri()
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=processes)


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
