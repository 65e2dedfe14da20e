"""Defines trainings and galleries as the SDK hands them out, and what they share with shoots.

A likeness of `None` was not measured, which is never a pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from headshots.client.models.images import Image, PaintedImage, Remix, ShotPreview, StyleSeeds
from headshots.client.models.scores import TrainingScores
from headshots.client.models.subjects import Adapter
from headshots.client.models.verdicts import Guarantee
from headshots.errors import CancelledByCallerError, HeadshotsError


class JobState(StrEnum):
    """Where a training, a gallery or a shoot stands."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def terminal(self) -> bool:
        """Whether it never changes again."""
        return self not in (JobState.PENDING, JobState.RUNNING)


class Priority(StrEnum):
    """Who is served first within a tenant. The SDK's default is STANDARD; HIGH is a right that the operator grants."""

    STANDARD = "STANDARD"
    HIGH = "HIGH"


@dataclass(frozen=True)
class Failure:
    """Why a job failed: a stable UPPER_SNAKE reason, and a sentence that says what to do about it."""

    reason: str
    message: str


class Job:
    """What trainings, galleries and shoots have in common."""

    name: str
    state: JobState
    failure: Failure | None
    """Why it FAILED; of a gallery or shoot that SUCCEEDED, why a shot ended refused before its last try, else None."""

    def raise_for_state(self) -> None:
        """Raise when the job did not succeed; a job that still runs passes.

        Raises:
            JobFailedError: it failed.
            CancelledByCallerError: it was cancelled.
        """
        if self.state is JobState.FAILED:
            raise JobFailedError(self)
        if self.state is JobState.CANCELLED:
            raise CancelledByCallerError(
                "JOB_CANCELLED", f"{self.name} was cancelled before it was done", metadata={"name": self.name}
            )


class JobFailedError(HeadshotsError):
    """A training, a gallery or a shoot ended as FAILED; `job` is the job as it stands."""

    def __init__(self, job: Job) -> None:
        failure = job.failure or Failure("JOB_FAILED", f"{job.name} failed without saying why")
        super().__init__(failure.reason, failure.message, metadata={"name": job.name})
        self.job = job


@dataclass(frozen=True)
class TrainingOptions:
    """What a training overrides of the foundation's own recipe; `None` keeps the recipe's value.

    `steps` 1 to 10000, `rank` 1 to 128, `learning_rate` above 0 and at most 0.1, `batch_rows` 1 to 64 photos a step,
    `seed` 0 to 2^32-1.
    """

    steps: int | None = None
    rank: int | None = None
    learning_rate: float | None = None
    batch_rows: int | None = None
    seed: int | None = None


class TrainingFile(StrEnum):
    """The files that a training leaves, by the names they are saved under."""

    ADAPTER = "adapter.safetensors"
    """The LoRA in the layout of PEFT and diffusers."""
    KOHYA = "adapter.kohya.safetensors"
    """The same weights in kohya's layout."""
    MANIFEST = "manifest.json"
    """What it was made of and by."""
    SHEET = "sheet.jpg"
    """The contact sheet."""
    CARD = "README.md"
    """The adapter's card."""


@dataclass(frozen=True)
class LossPoint:
    """One point of the training curve: the mean denoising loss since the point before."""

    step: int
    loss: float


class TrainingPhase(StrEnum):
    """What a running training does, in its order; training and validating take turns."""

    DOWNLOADING = "DOWNLOADING"
    """It reads its photos."""
    INSPECTING = "INSPECTING"
    """It looks for the face in each photo."""
    LOADING = "LOADING"
    """It loads programs and the foundation."""
    CLASS_IMAGES = "CLASS_IMAGES"
    """It paints pictures that later trainings on the foundation share."""
    ENCODING = "ENCODING"
    """It encodes photos and captions."""
    TRAINING = "TRAINING"
    """It makes optimizer steps."""
    VALIDATING = "VALIDATING"
    """It judges portraits by the adapter as it is."""
    SAVING = "SAVING"
    """It chooses a checkpoint and writes the adapter."""


@dataclass(frozen=True)
class TrainingProgress:
    """`done` of `total` units of a phase: photos, pictures, optimizer steps; 0 in all means that it is not counted."""

    phase: TrainingPhase
    done: int
    total: int
    eta_seconds: float | None
    """What the phase still needs; None: not measured yet."""


@dataclass(frozen=True)
class Training(Job):
    """One run that makes an adapter. `step` of `total_steps` are done; 0 in all means it has not started.

    `status_message` says in one sentence what holds it up; empty when nothing does. `event_number` grows by one with
    every change; a watch can go on after it.
    """

    name: str
    state: JobState
    step: int
    total_steps: int
    loss: float
    eta_seconds: float | None
    queue_position: int
    attempt: int
    options: TrainingOptions
    adapter: Adapter | None
    failure: Failure | None
    create_time: datetime | None
    start_time: datetime | None
    end_time: datetime | None
    curve: tuple[LossPoint, ...]
    photo_count: int
    likeness: float | None
    status_message: str
    event_number: int
    scores: TrainingScores | None = None
    adapter_expire_time: datetime | None = None
    """From when on no call uses its adapter; None: it is kept as long as the subject, or not delivered yet."""
    phase_message: str = ""
    """One sentence on what a running one does before its first step where that may take minutes; empty otherwise."""
    progress: TrainingProgress | None = None
    """What a running one does and how far that is; None: it does not run, or its trainer does not tell."""
    foundation: str = ""
    """`foundations/{foundation}` that it trains on; empty: it is not known yet."""
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    external_id: str = ""


@dataclass(frozen=True)
class Gallery(Job):
    """Many shots of one subject. `images` holds those finished so far where the call says that it sends them.

    `status_message` says in one sentence what holds it up; empty when nothing does. `accepted_shots` are the images
    that `profile` accepts, after `tries` seeds in all, at most `max_tries` for each shot. `guarantee` is None before
    the end.
    """

    name: str
    state: JobState
    styles: tuple[str, ...]
    shots_per_style: int
    seed: int
    total_shots: int
    completed_shots: int
    failed_shots: int
    adapter_sha256: str
    failure: Failure | None
    create_time: datetime | None
    end_time: datetime | None
    images: tuple[Image, ...]
    status_message: str
    remix: Remix | None = None
    style_shots: tuple[int, ...] = ()
    """Shots of each of `styles`; `shots_per_style` is 0 where they differ."""
    profile: str = ""
    profile_version: int = 0
    max_tries: int = 1
    accepted_shots: int = 0
    tries: int = 0
    guarantee: Guarantee | None = None
    regenerates: str = ""
    """The image that it was made to replace, or what that one replaced where its gallery was deleted; empty: none."""
    images_expire_time: datetime | None = None
    """From when on no call finds its images; None: they are kept as long as the subject, or it has not ended."""
    style_seeds: StyleSeeds = StyleSeeds.SAME
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    external_id: str = ""


GalleryEvent = Gallery | PaintedImage | ShotPreview
TrainingRef = Training | str
GalleryRef = Gallery | str
