"""Fills the event loop's executor with threads that hang, as if in an object store that does not answer."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor


@contextlib.asynccontextmanager
async def full_of_hanging_calls() -> AsyncIterator[None]:
    """Within the block the running loop's default executor has no free thread."""
    size = 3
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(size))
    go = threading.Event()
    hanging = [asyncio.ensure_future(asyncio.to_thread(go.wait)) for _ in range(size)]
    try:
        yield
    finally:
        go.set()
        await asyncio.gather(*hanging)
