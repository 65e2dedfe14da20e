"""Waking whoever waits in this process, without their asking the database all the time."""

from __future__ import annotations

import asyncio


class Bell:
    """Take a ticket, look at the state, then wait on the ticket: no ring in between is missed."""

    def __init__(self) -> None:
        self._ticket = asyncio.Event()

    def ticket(self) -> asyncio.Event:
        """What the next ring will set."""
        return self._ticket

    def ring(self) -> None:
        """Wake all that wait."""
        rung, self._ticket = self._ticket, asyncio.Event()
        rung.set()
