"""Blocking calls from asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

ParametersT = ParamSpec("ParametersT")
ResultT = TypeVar("ResultT")


async def in_thread(
    function: Callable[ParametersT, ResultT], *args: ParametersT.args, **kwargs: ParametersT.kwargs
) -> ResultT:
    """`asyncio.to_thread`, except that a cancelled caller waits for the thread's end before it goes on.

    A thread cannot be stopped: a caller that did not wait would tidy up (temporary files, the database) under the
    feet of work that is still going on.
    """
    running = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        if not running.cancelled():
            # Retrieved, or asyncio would complain: the caller is gone and cannot be told.
            running.exception()
        raise
