"""Ends a stream whose client is silent, too slow, or takes too long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from headshots.errors import DeadlineExceededError

R = TypeVar("R")
_GRACE = 2.0
"""A stream may keep us waiting for so many times its longest silence before its rate is looked at: one that is silent
from the start is told that it was silent."""


class Pace:
    """The time of one stream, and how much of it was waiting for the client.

    Between two messages a client may be silent for `idle_seconds`. In all it may keep us waiting for twice that, and
    for a second more with every `bytes_per_second` bytes that came: a byte now and then does not keep a stream open.
    What the server does with the photos meanwhile counts for `total_seconds` alone.
    """

    def __init__(self, idle_seconds: float, bytes_per_second: float, total_seconds: float) -> None:
        """The stream begins now; there is a running event loop."""
        self.received = 0
        """Bytes of photos that came; the caller counts them."""
        self._idle_seconds = idle_seconds
        self._bytes_per_second = bytes_per_second
        self._total_seconds = total_seconds
        self._clock = asyncio.get_running_loop().time
        self._end = self._clock() + total_seconds
        self._waited = 0.0

    async def wait(self, message: Awaitable[R]) -> R:
        """The client's next message.

        Raises:
            DeadlineExceededError: UPLOAD_IDLE, UPLOAD_TOO_SLOW.
        """
        began = self._clock()
        patience = _GRACE * self._idle_seconds + self.received / self._bytes_per_second - self._waited
        ends = ((self._idle_seconds, self._idle), (patience, self._slow), (self._end - began, self._long))
        seconds, error = min(ends, key=lambda end: end[0])
        try:
            async with asyncio.timeout(seconds):
                return await message
        except TimeoutError as timeout:
            raise error() from timeout
        finally:
            self._waited += self._clock() - began

    def _idle(self) -> DeadlineExceededError:
        return DeadlineExceededError(
            "UPLOAD_IDLE", f"nothing came for {self._idle_seconds:g} s; nothing was kept, send the stream again"
        )

    def _slow(self) -> DeadlineExceededError:
        return DeadlineExceededError(
            "UPLOAD_TOO_SLOW",
            f"only {self.received} bytes came, {self._bytes_per_second:g} a second are needed; "
            "nothing was kept, send smaller photos or from a better connection",
        )

    def _long(self) -> DeadlineExceededError:
        return DeadlineExceededError(
            "UPLOAD_TOO_SLOW",
            f"the stream took {self._total_seconds:g} s; nothing was kept, send fewer photos in a stream",
        )
