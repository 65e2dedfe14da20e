"""Decides how a watch goes on when its stream breaks: what it has seen, and when it connects again or gives up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import grpc.aio

from headshots.errors import HeadshotsError, UnavailableError

FIRST_RECONNECT_SECONDS = 0.1
LAST_RECONNECT_SECONDS = 2.0


class WatchState:
    """What a watch has seen over all its connections; moves the request's `after_event` on with each message."""

    def __init__(self, request: Any, is_terminal: Callable[[Any], bool], event_number: Callable[[Any], int]) -> None:
        self.ended = False
        """Whether a terminal message has arrived."""
        self._request = request
        self._is_terminal = is_terminal
        self._event_number = event_number
        # A caller who goes on after the last event of a job that is over gets an empty stream, which is complete.
        self._may_be_empty = "after_event" in request.DESCRIPTOR.fields_by_name and request.HasField("after_event")

    @property
    def complete(self) -> bool:
        """Whether nothing is missing if the stream ends now."""
        return self.ended or self._may_be_empty

    def record(self, message: Any) -> None:
        """Take note of one message."""
        self._may_be_empty = False
        self.ended = self.ended or self._is_terminal(message)
        if number := self._event_number(message):
            self._request.after_event = number


class Reconnect:
    """Waits in growing pauses between attempts to reach a gateway that went away, and gives up after a while."""

    def __init__(self, seconds: float, on_loss: Callable[[HeadshotsError], None] | None) -> None:
        self._seconds = seconds
        self._on_loss = on_loss
        self.succeeded()

    def succeeded(self) -> None:
        """The gateway answered: the next loss starts with the shortest pause."""
        self._lost_at: float | None = None
        self._pause = FIRST_RECONNECT_SECONDS

    async def wait(self, cause: HeadshotsError) -> None:
        """Pause before the next attempt; raises ``cause`` once attempts have gone on for long enough."""
        if self._lost_at is None:
            self._lost_at = time.monotonic()
            if self._on_loss is not None:
                self._on_loss(cause)
        if time.monotonic() - self._lost_at > self._seconds:
            raise cause
        await asyncio.sleep(self._pause)
        self._pause = min(2 * self._pause, LAST_RECONNECT_SECONDS)


def ended_too_early(method: str) -> HeadshotsError:
    """The cause where the server closed the stream in good order, but before the job was over."""
    return UnavailableError("STREAM_ENDED", f"the gateway ended {method} before the job ended")


def went_away(error: grpc.aio.AioRpcError) -> bool:
    """Whether the server went away; then it may be reached again."""
    # A server that drains cancels the streams it cannot finish; nobody here has cancelled this one.
    return error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
