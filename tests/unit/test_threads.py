"""Blocking calls from asyncio."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from headshots.threads import (
    in_erase_thread,
    in_key_thread,
    in_lease_thread,
    in_read_thread,
    in_thread,
    in_write_thread,
)
from tests.support.trainer.hanging import full_of_hanging_calls
from tests.support.waiting import PATIENCE_SECONDS

EACH = pytest.mark.parametrize(
    "run", [in_thread, in_lease_thread, in_read_thread, in_write_thread, in_key_thread, in_erase_thread]
)


@EACH
async def test_results_and_errors_come_back(run: Any) -> None:
    assert await run(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await run(divmod, 7, 0)


@EACH
@pytest.mark.parametrize("fails", [False, True])
async def test_a_cancelled_caller_waits_for_the_thread(fails: bool, run: Any) -> None:
    begun, go, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go.wait(PATIENCE_SECONDS)
        ended.set()
        if fails:
            raise ValueError("nobody is there to hear it")

    caller = asyncio.create_task(run(work))
    await asyncio.to_thread(begun.wait, PATIENCE_SECONDS)
    caller.cancel()
    await asyncio.sleep(0.01)
    assert not caller.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ended.is_set()


async def test_calls_that_hang_in_a_slow_store_leave_leases_their_threads() -> None:
    async with full_of_hanging_calls():
        assert await in_lease_thread(divmod, 7, 2) == (3, 1)
        waiting = asyncio.create_task(in_thread(divmod, 7, 2))
        await asyncio.sleep(0.01)
        assert not waiting.done()
    assert await waiting == (3, 1)


@pytest.mark.parametrize("waits", [in_write_thread, in_erase_thread])
async def test_writes_that_wait_leave_all_others_their_threads(waits: Any) -> None:
    go = threading.Event()
    waiting = [asyncio.create_task(waits(go.wait, PATIENCE_SECONDS)) for _ in range(100)]
    # All have asked for a thread.
    await asyncio.sleep(0)
    others = {in_read_thread, in_lease_thread, in_key_thread, in_thread, in_write_thread, in_erase_thread} - {waits}
    for run in others:
        assert await run(divmod, 7, 2) == (3, 1)
    assert not any(write.done() for write in waiting)
    go.set()
    assert all(await asyncio.gather(*waiting))
