"""Runs a side: its processes, what each is sent, and what it answers.

The same for all sides, so that none pays for another way of being asked.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.serving.sides.kinds import KINDS
from benchmarks.serving.sides.side import Shape, Spec
from benchmarks.serving.sides.working import READY, work
from benchmarks.serving.world import Wanted, World


class SideError(Exception):
    """A process of a side failed or ended; what it said."""


@dataclass
class _Process:
    """One process and the calls that it has not answered."""

    connection: Connection
    process: Any
    calls: dict[int, asyncio.Future[Any]] = field(default_factory=dict)


class Pool:
    """A side's processes. Each gets the next call when it is free; ours, which batches by itself, gets all at once."""

    def __init__(self, name: str, shape: Shape, processes: Sequence[_Process]) -> None:
        self.name = name
        self.shape = shape
        self._processes = processes
        self._kind = KINDS[name]
        self._loop = asyncio.get_running_loop()
        self._free: asyncio.Queue[_Process] = asyncio.Queue()
        self._number = 0
        for process in processes:
            self._free.put_nowait(process)
            threading.Thread(target=self._listen, args=(process,), daemon=True).start()

    async def paint(self, wanted: Wanted) -> bytes:
        """One image."""
        found: list[bytes] = await self.call("paint", [wanted])
        return found[0]

    async def paint_all(self, wanted: Sequence[Wanted]) -> list[bytes]:
        """Everything asked for at once, dealt as the side deals it."""
        units = self._kind.deal(wanted, self.shape.processes)
        painted = await asyncio.gather(*(self.call("paint", [wanted[place] for place in unit]) for unit in units))
        found = dict(
            zip((p for unit in units for p in unit), (image for part in painted for image in part), strict=True)
        )
        return [found[place] for place in range(len(wanted))]

    async def call(self, method: str, *given: Any) -> Any:
        """What a free process's side answers.

        Raises:
            SideError: it failed.
        """
        # Whoever waits longest gets the next process that is free.
        process = self._idlest() if self._kind.at_once else await self._free.get()
        self._number += 1
        number, future = self._number, self._loop.create_future()
        process.calls[number] = future
        process.connection.send((number, method, given))
        try:
            return await future
        finally:
            del process.calls[number]
            if not self._kind.at_once:
                self._free.put_nowait(process)

    def _idlest(self) -> _Process:
        return min(self._processes, key=lambda process: len(process.calls))

    def _listen(self, process: _Process) -> None:
        """A thread: hands answers over to the calls that wait for them."""
        while True:
            try:
                number, answer, error = process.connection.recv()
            except (EOFError, OSError):
                self._loop.call_soon_threadsafe(self._ended, process)
                return
            self._loop.call_soon_threadsafe(_answer, process.calls[number], answer, error and f"{self.name}: {error}")

    def _ended(self, process: _Process) -> None:
        for future in process.calls.values():
            _answer(future, None, f"a process of {self.name} ended")


def _answer(future: asyncio.Future[Any], answer: Any, error: str | None) -> None:
    if future.done():
        return
    if error:
        future.set_exception(SideError(error))
    else:
        future.set_result(answer)


@asynccontextmanager
async def running(name: str, world: World, shape: Shape, folder: Path) -> AsyncIterator[Pool]:
    """A side's processes, all ready; ended at the end.

    Raises:
        SideError: one of them does not start.
    """
    context = multiprocessing.get_context("forkserver")
    # Once for all processes: torch and diffusers take five seconds of CPU to import.
    context.set_forkserver_preload(["benchmarks.serving.sides.kinds"])
    processes: list[_Process] = []
    try:
        for number in range(shape.processes):
            ours, theirs = context.Pipe()
            spec = Spec(name, world, folder / f"{name}-{shape}-{number}", shape.threads)
            started = context.Process(target=work, args=(theirs, spec), daemon=True)
            started.start()
            theirs.close()
            processes.append(_Process(ours, started))
        for process in processes:
            await _until_ready(name, process)
        yield Pool(name, shape, processes)
    finally:
        for process in processes:
            await asyncio.to_thread(_end, process)


async def _until_ready(name: str, process: _Process) -> None:
    try:
        said = await asyncio.to_thread(process.connection.recv)
    except EOFError:
        raise SideError(f"a process of {name} ended before it was ready; its words are above") from None
    if said != READY:
        raise SideError(f"{name} does not start: {said}")


def _end(process: _Process) -> None:
    if process.process.is_alive():
        process.connection.send(None)
        process.process.join(timeout=30)
    if process.process.is_alive():
        process.process.kill()
        process.process.join()
    process.connection.close()
