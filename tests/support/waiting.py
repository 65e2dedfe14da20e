"""Waits for conditions, for minutes if need be, as the machine may be busy with other things."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

# Only ends a test that would hang; nothing that works takes so long, and no test measures it.
PATIENCE_SECONDS = 300.0
_POLL_SECONDS = 0.005


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Waits until the condition holds. It has to stay true once it is, as it is only looked at now and then."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            value = condition()
            if await value if isinstance(value, Awaitable) else value:
                return
            await asyncio.sleep(_POLL_SECONDS)


async def until_equal(look: Callable[[], object], wanted: object) -> None:
    """Waits until `look` finds what is wanted; where it never does, the failure shows what it found."""
    with contextlib.suppress(TimeoutError):
        await until(lambda: look() == wanted)
    assert look() == wanted
