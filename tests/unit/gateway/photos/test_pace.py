"""A stream that is silent, slow or long is ended with the reason, and the server's own time is not the client's."""

from __future__ import annotations

import asyncio

from headshots.errors import DeadlineExceededError
from services.gateway.photos.pace import Pace


async def drip(pace: Pace, size: int, pause: float) -> str:
    """Sends `size` bytes after each pause until the stream is ended; the reason."""
    while True:
        try:
            await pace.wait(asyncio.sleep(pause))
        except DeadlineExceededError as error:
            return error.reason
        pace.received += size


async def test_silence_ends_a_stream() -> None:
    assert await drip(Pace(0.05, 1.0, 60.0), 0, 30.0) == "UPLOAD_IDLE"


async def test_a_byte_now_and_then_keeps_no_stream_open() -> None:
    pace = Pace(0.5, 1000.0, 600.0)
    assert await drip(pace, 1, 0.05) == "UPLOAD_TOO_SLOW"
    assert pace.received > 1


async def test_a_stream_has_an_end_however_fast_it_is() -> None:
    pace = Pace(60.0, 1.0, 0.3)
    assert await drip(pace, 10_000_000, 0.01) == "UPLOAD_TOO_SLOW"
    assert pace.received > 10_000_000


async def test_the_servers_own_time_counts_for_the_whole_alone() -> None:
    pace = Pace(0.2, 1000.0, 60.0)
    for _ in range(5):
        await pace.wait(asyncio.sleep(0))
        await asyncio.sleep(0.2)  # the server decodes
    assert await pace.wait(asyncio.sleep(0, "on")) == "on"
