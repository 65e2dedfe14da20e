"""Caches the description of what the generators of a pool run."""

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
        self.known: GeneratorDescription | None = None
        """The newest description."""
        self.answers = False
        """Whether a generator answered when it was asked last."""
        self._asked_at: float | None = None

    @property
    def is_missed(self) -> bool:
        """Whether it was asked in vain, and nobody has answered since."""
        return self._asked_at is not None and not self.answers

    def lost(self) -> None:
        """A call found no generator."""
        self.answers = False

    def recall(self, description: GeneratorDescription) -> None:
        """Takes what the generators said before this process began, until they say something else."""
        if self.known is None:
            self.known = description

    async def describe(self, *, fresh_seconds: float | None = None) -> GeneratorDescription:
        """The newest description, of at most `fresh_seconds` ago where a generator answers; None: as for all.

        Raises:
            UnavailableError: no generator answers, and none has answered before.
        """
        begun_at = time.monotonic()
        async with self._lock:
            fresh = self._fresh_seconds if fresh_seconds is None else fresh_seconds
            if self.known is None and self._asked_at is not None and self._asked_at >= begun_at:
                # Another caller has asked meanwhile. Asked by each in turn, many would wait for minutes.
                raise _away()
            if self.known is not None and self._asked_at is not None and time.monotonic() - self._asked_at <= fresh:
                return self.known
            try:
                return await self._ask()
            except UnavailableError:
                if self.known is None:
                    raise
                return self.known

    async def refresh(self) -> GeneratorDescription:
        """What a generator says now.

        Raises:
            UnavailableError: no generator answers.
        """
        async with self._lock:
            return await self._ask()

    async def _ask(self) -> GeneratorDescription:
        try:
            self.known = await self._generator.describe()
        except HeadshotsError as error:
            # Away, silent until the deadline, or broken: for who asks it is all the same.
            self.answers = False
            raise _away() from error
        finally:
            self._asked_at = time.monotonic()
        self.answers = True
        return self.known


def _away() -> UnavailableError:
    return UnavailableError("GENERATOR_UNREACHABLE", "no generator can be reached; it is tried again")
