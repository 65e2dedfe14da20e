"""What the gateway needs of a trainer and of a generator. The gRPC side of it is in `rpc_peers`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from services.gateway.galleries.remix import Remix
from services.gateway.models import Adapter, TrainingJob, TrainingRequest


@dataclass(frozen=True)
class GenerationRequest:
    """One image; fields as in the contract's GenerateRequest."""

    tenant: str
    adapter: Adapter
    prompt: str
    seed: int
    image_format: int
    quality: int
    preview_every: int
    output_prefix: str
    priority: int
    remix: Remix | None = None
    """What is painted over."""


@dataclass(frozen=True)
class StepDone:
    """A denoising step is done; `preview` is a small JPEG or empty."""

    step: int
    total_steps: int
    preview: bytes


@dataclass(frozen=True)
class ImageDone:
    """The image is in the object store under `key`."""

    key: str
    sha256: str
    size_bytes: int
    content_type: str
    width_px: int
    height_px: int


@dataclass(frozen=True)
class Waiting:
    """In the generator's queue, or just started."""


GenerationEvent = Waiting | StepDone | ImageDone


@dataclass(frozen=True)
class GeneratorDescription:
    """What a generator runs."""

    foundation_digest: str
    max_rank: int
    prompt_template: str
    trigger: str
    native_side_px: int
    """The shorter side of what the foundation paints by itself."""


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
