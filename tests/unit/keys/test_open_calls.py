"""A call that is ended tidies up, however often it is told to end."""

from __future__ import annotations

import asyncio

import pytest

from headshots.errors import UnauthenticatedError
from headshots.keys.open_calls import OpenCall


async def test_a_call_that_is_ended_twice_tidies_up_and_tells_why() -> None:
    """A key that is revoked while the calls of another one end has all of them told again."""
    opened, begun, tidying, tidied = OpenCall(), asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        with opened.interruptible():
            try:
                begun.set()
                await asyncio.Event().wait()
            finally:
                tidying.set()
                await asyncio.sleep(0.01)
                tidied.set()

    call = asyncio.create_task(work())
    await begun.wait()
    opened.end()
    await tidying.wait()
    opened.end()
    with pytest.raises(UnauthenticatedError, match="API_KEY_REVOKED"):
        await call
    assert tidied.is_set()


async def test_a_call_that_is_ended_while_it_sends_ends_at_its_next_wait() -> None:
    opened = OpenCall()
    with opened.interruptible():
        pass
    opened.end()
    with pytest.raises(UnauthenticatedError, match="API_KEY_REVOKED"), opened.interruptible():
        raise AssertionError("the call went on")
