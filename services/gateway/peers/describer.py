"""Caches the description of what the generators run."""

from __future__ import annotations

import asyncio
import time

from headshots.errors import HeadshotsError, UnavailableError
from services.gateway.peers.interfaces import Generator
from services.gateway.peers.models import GeneratorDescription


class Describer:
    """Asks a generator at most once in `fresh_seconds`; where none answers, the last description serves on."""

    def __init__(self, generator: Generator, *, fresh_seconds: float = 30.0) -> None:
        self._generator = generator
        self._fresh_seconds = fresh_seconds
        self._lock = asyncio.Lock()
        self._cached: GeneratorDescription | None = None
        self._cached_at = 0.0

    async def describe(self) -> GeneratorDescription:
        """The newest description.

        Raises:
            UnavailableError: no generator answers, and none has answered before.
        """
        async with self._lock:
            if self._cached is None or time.monotonic() - self._cached_at > self._fresh_seconds:
                try:
                    self._cached = await self._generator.describe()
                    self._cached_at = time.monotonic()
                except HeadshotsError as error:
                    # Away, silent until the deadline, or broken: for who asks it is all the same.
                    if self._cached is None:
                        raise UnavailableError(
                            "GENERATOR_UNREACHABLE", "no generator can be reached; it is tried again"
                        ) from error
            return self._cached

    async def describe_if_reachable(self) -> GeneratorDescription | None:
        """The newest description; None where no generator answers, and none has answered before."""
        try:
            return await self.describe()
        except UnavailableError:
            return None
