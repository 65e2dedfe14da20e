"""Waiting that ends early."""

from __future__ import annotations

import asyncio

import pytest

from headshots.pauses import pause
from tests.support.waiting import PATIENCE_SECONDS


async def test_the_event_or_the_time_ends_it() -> None:
    woken = asyncio.Event()
    await pause(woken, 0.001)
    woken.set()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await pause(woken, 1e6)


async def test_a_cancellation_that_meets_the_event_is_not_lost() -> None:
    woken = asyncio.Event()
    waiting = asyncio.create_task(pause(woken, 1000))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    woken.set()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
