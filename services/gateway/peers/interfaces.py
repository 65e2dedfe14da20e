"""Declares the Protocols of a trainer and a generator, which `rpc` implements over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from services.gateway.peers.events import GenerationEvent
from services.gateway.peers.evictions import Eviction
from services.gateway.peers.models import (
    GenerationCheck,
    GenerationRequest,
    GeneratorDescription,
    TrainingJob,
    TrainingRequest,
)


class Trainer(Protocol):
    """Turns photos into an adapter. All raise `HeadshotsError`s, UnavailableError where no trainer answers."""

    async def start(self, request: TrainingRequest) -> TrainingJob:
        """Queues a job; where there is one with this `job_id`, returns that."""
        ...

    def watch(self, job_id: str) -> AsyncIterator[TrainingJob]:
        """Yields the job now and on every change, until a terminal state."""
        ...

    async def cancel(self, job_id: str) -> TrainingJob:
        """Asks a job to stop."""
        ...


class Generator(Protocol):
    """Paints images. All raise `HeadshotsError`s, UnavailableError where no generator answers."""

    def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        """Yields events up to the image; closing the iterator stops the painting."""
        ...

    async def check(self, request: GenerationRequest) -> GenerationCheck:
        """What a request would become; raises what `generate` would refuse, but tells of prompts that are too long."""
        ...

    async def describe(self) -> GeneratorDescription:
        """What a generator runs."""
        ...

    async def evict(self, adapter_sha256: str) -> Eviction:
        """Removes an adapter from the caches of every generator; which of them confirmed it, and which did not.

        Raises only where it is not known which generators there are.
        """
        ...
