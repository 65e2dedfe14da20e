"""Waits for a time, or less where an event is set."""

from __future__ import annotations

import asyncio
import contextlib


async def pause(woken: asyncio.Event, seconds: float) -> None:
    """Until the event is set or the time is up.

    Not with `asyncio.wait_for`: before Python 3.12 it swallows a cancellation that meets the event
    (python/cpython#86296), and a loop that is to end goes on for ever.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await woken.wait()
