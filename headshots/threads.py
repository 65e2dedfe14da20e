"""Runs blocking calls in threads, from asyncio."""

from __future__ import annotations

import asyncio
import contextvars
import functools
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

ParametersT = ParamSpec("ParametersT")
ResultT = TypeVar("ResultT")

# All of these take milliseconds; so many are under way at once only while the database is slow or locked.
LEASE_THREADS = 4
READ_THREADS = 8
WRITE_THREADS = 8
KEY_THREADS = 2
# Erasing waits for the object store as well.
ERASE_THREADS = 4
DATABASE_THREADS = LEASE_THREADS + READ_THREADS + WRITE_THREADS + KEY_THREADS + ERASE_THREADS
"""Threads that nothing but calls of the database may use."""
# None starts a thread before it is used. A process has one each: what they guard against is shared by the process too.
_lease_executor = ThreadPoolExecutor(LEASE_THREADS, thread_name_prefix="lease")
_read_executor = ThreadPoolExecutor(READ_THREADS, thread_name_prefix="read")
_write_executor = ThreadPoolExecutor(WRITE_THREADS, thread_name_prefix="write")
_key_executor = ThreadPoolExecutor(KEY_THREADS, thread_name_prefix="key")
_erase_executor = ThreadPoolExecutor(ERASE_THREADS, thread_name_prefix="erase")


async def in_thread(
    function: Callable[ParametersT, ResultT], *args: ParametersT.args, **kwargs: ParametersT.kwargs
) -> ResultT:
    """`asyncio.to_thread`, except that a cancelled caller waits for the thread's end before it goes on.

    A thread cannot be stopped: a caller that did not wait would tidy up (temporary files, the database) under the
    feet of work that is still going on.
    """
    return await _ended(_start(None, functools.partial(function, *args, **kwargs)))


async def in_lease_thread(
    function: Callable[ParametersT, ResultT], *args: ParametersT.args, **kwargs: ParametersT.kwargs
) -> ResultT:
    """:func:`in_thread`, on threads that nothing but leases may use.

    An object store that hangs fills the loop's own executor with calls that wait for it. A renewal that queued behind
    them would come too late, and another worker would take what this one still works on.
    """
    return await _ended(_start(_lease_executor, functools.partial(function, *args, **kwargs)))


async def in_read_thread(
    function: Callable[ParametersT, ResultT], *args: ParametersT.args, **kwargs: ParametersT.kwargs
) -> ResultT:
    """:func:`in_thread`, on threads for reading the database: no write that waits for a lock is in front."""
    return await _ended(_start(_read_executor, functools.partial(function, *args, **kwargs)))


async def in_write_thread(
    function: Callable[ParametersT, ResultT], *args: ParametersT.args, **kwargs: ParametersT.kwargs
) -> ResultT:
    """:func:`in_thread`, on threads for writing to the database: while it is locked they all may wait."""
    return await _ended(_start(_write_executor, functools.partial(function, *args, **kwargs)))


async def in_key_thread(
    function: Callable[ParametersT, ResultT], *args: ParametersT.args, **kwargs: ParametersT.kwargs
) -> ResultT:
    """:func:`in_thread`, on threads for looking keys up, which every call begins with."""
    return await _ended(_start(_key_executor, functools.partial(function, *args, **kwargs)))


async def in_erase_thread(
    function: Callable[ParametersT, ResultT], *args: ParametersT.args, **kwargs: ParametersT.kwargs
) -> ResultT:
    """:func:`in_thread`, on threads for erasing, which waits for the database's lock and for the object store.

    On the loop's own executor, deletions that wait would keep photos from being decoded; on the threads for writes, a
    store that hangs would stop all writes.
    """
    return await _ended(_start(_erase_executor, functools.partial(function, *args, **kwargs)))


def _start(executor: Executor | None, call: Callable[[], ResultT]) -> asyncio.Future[ResultT]:
    context = contextvars.copy_context()
    return asyncio.get_running_loop().run_in_executor(executor, functools.partial(context.run, call))


async def _ended(running: asyncio.Future[ResultT]) -> ResultT:
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        if not running.cancelled():
            # Retrieved, or asyncio would complain: the caller is gone and cannot be told.
            running.exception()
        raise
