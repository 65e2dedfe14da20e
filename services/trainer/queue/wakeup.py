"""Wakes the tasks of this process that wait for a change, so that they need not poll the database."""

from __future__ import annotations

import asyncio


class Wakeup:
    """Get an event, look at the state, then wait on the event: a notification in between is not missed."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def event(self) -> asyncio.Event:
        """The event that the next notification sets."""
        return self._event

    def notify(self) -> None:
        """Wake all that wait."""
        notified, self._event = self._event, asyncio.Event()
        notified.set()
