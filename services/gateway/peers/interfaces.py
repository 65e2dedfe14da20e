"""The Protocols of a trainer and of a generator, as the gateway calls them. `rpc` implements them over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from services.gateway.peers.models import (
    GenerationEvent,
    GenerationRequest,
    GeneratorDescription,
    TrainingJob,
    TrainingRequest,
)


class Trainer(Protocol):
    """Turns photos into an adapter. All raise `HeadshotsError`s, UnavailableError where nobody answers."""

    async def start(self, request: TrainingRequest) -> TrainingJob:
        """Queues a job; the same `job_id` again answers the job as it stands."""
        ...

    def watch(self, job_id: str) -> AsyncIterator[TrainingJob]:
        """The job now and on every change, until a terminal state."""
        ...

    async def cancel(self, job_id: str) -> TrainingJob:
        """Asks a job to stop."""
        ...


class Generator(Protocol):
    """Paints images. All raise `HeadshotsError`s, UnavailableError where nobody answers."""

    def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        """Events up to the image; closing the iterator stops the painting."""
        ...

    async def describe(self) -> GeneratorDescription:
        """What it runs."""
        ...

    async def evict(self, adapter_sha256: str) -> None:
        """Forgets an adapter, in every generator that can be found. Raises when one of them did not answer."""
        ...
