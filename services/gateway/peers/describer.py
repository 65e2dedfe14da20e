"""Asks the generators what they run, rarely, and remembers the answer."""

from __future__ import annotations

import asyncio
import time

from headshots.errors import UnavailableError
from services.gateway.peers.interfaces import Generator
from services.gateway.peers.models import GeneratorDescription


class Describer:
    """One answer for all shots of `fresh_seconds`; an old one is better than none while the generators restart."""

    def __init__(self, generator: Generator, *, fresh_seconds: float = 30.0) -> None:
        self._generator = generator
        self._fresh_seconds = fresh_seconds
        self._lock = asyncio.Lock()
        self._known: GeneratorDescription | None = None
        self._known_at = 0.0

    async def describe(self) -> GeneratorDescription:
        """The newest description.

        Raises:
            UnavailableError: no generator answers, and none ever has.
        """
        async with self._lock:
            if self._known is None or time.monotonic() - self._known_at > self._fresh_seconds:
                try:
                    self._known = await self._generator.describe()
                    self._known_at = time.monotonic()
                except UnavailableError:
                    if self._known is None:
                        raise
            return self._known
