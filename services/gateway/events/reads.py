"""Reads for watchers: few at a time, and once for all that ask for the same before the reading begins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar, TypeVarTuple

from headshots.threads import in_read_thread

ResultT = TypeVar("ResultT")
ArgumentTs = TypeVarTuple("ArgumentTs")

# Of the threads that read; the others are for calls that somebody waits for.
_AT_ONCE = 2


class SharedReads:
    """Whoever asks gets what was read after it asked. Use from the event loop only."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._waiting: dict[Any, asyncio.Task[Any]] = {}

    async def read(self, function: Callable[[*ArgumentTs], ResultT], *args: *ArgumentTs) -> ResultT:
        """`function(*args)`, which blocks. What it raises reaches all that asked."""
        key = (function, *args)
        task = self._waiting.get(key)
        if task is None:
            task = self._waiting[key] = asyncio.create_task(self._read(key, function, *args))
            # Retrieved, or asyncio would complain where all that asked are gone.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        result: ResultT = await asyncio.shield(task)
        return result

    async def _read(self, key: Any, function: Callable[[*ArgumentTs], ResultT], *args: *ArgumentTs) -> ResultT:
        async with self._turns:
            # Who asks from now on may want what changes after this.
            del self._waiting[key]
            return await in_read_thread(function, *args)
