"""Waiting for what happens elsewhere: for minutes if need be, as the machine may be busy with other things."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

# Nothing that works takes so long: it only ends a test that would hang. Never what a test measures.
PATIENCE_SECONDS = 300.0
_LOOK_SECONDS = 0.001


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Until the condition holds. It has to stay true once it is: how soon we look again is nobody's promise."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            value = condition()
            if await value if isinstance(value, Awaitable) else value:
                return
            await asyncio.sleep(_LOOK_SECONDS)
