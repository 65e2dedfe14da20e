"""The training job and its parts. Neither SQL nor torch here: the training process imports it too."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.trainer.lora.recipe import TrainingOptions
from services.trainer.progress.phases import JobProgress
from services.trainer.selection.scores import TrainingScores

# JobState of the protos in lower case, as the rows have it.
_OVER = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True)
class PhotoRef:
    """A photo by reference: its key in the object store and the SHA-256 (hex) of what is stored there."""

    key: str
    sha256: str


@dataclass(frozen=True)
class JobRequest:
    """What to train. ``output_prefix``: object-store prefix of the result, without a closing slash."""

    photos: tuple[PhotoRef, ...]
    output_prefix: str
    class_noun: str
    options: TrainingOptions

    @property
    def checkpoint_folder(self) -> str:
        """The object-store prefix of the checkpoints."""
        return f"{self.output_prefix}/checkpoints"

    def to_json(self) -> dict[str, Any]:
        """For the row and for the training process."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> JobRequest:
        """Inverse of :meth:`to_json`."""
        photos = tuple(PhotoRef(**photo) for photo in value["photos"])
        return cls(photos, value["output_prefix"], value["class_noun"], TrainingOptions(**value["options"]))


@dataclass(frozen=True)
class StoredFile:
    """A file beside an adapter: its key in the object store, its digest (hex) and size."""

    key: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class AdapterFiles:
    """A finished adapter: its digest (hex), its keys in the object store, and what it was trained on."""

    sha256: str
    key: str
    foundation_digest: str
    rank: int
    trigger: str
    size_bytes: int
    kohya_key: str
    manifest_key: str
    others: tuple[StoredFile, ...] = ()
    """The files beside it; none of an adapter of before they were told."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> AdapterFiles:
        """Inverse of ``dataclasses.asdict``."""
        return cls(**{**value, "others": tuple(StoredFile(**each) for each in value.get("others", ()))})


@dataclass(frozen=True)
class Failure:
    """Why a job failed: an UPPER_SNAKE reason, and a sentence that says how to fix it."""

    reason: str
    message: str


@dataclass(frozen=True)
class Job:
    """A row of ``training_jobs``. Times are seconds since the epoch; ``state`` is one of :mod:`headshots.schema`'s."""

    id: str
    tenant: str
    priority: int
    state: str
    request: JobRequest
    step: int
    total_steps: int
    loss: float
    eta_seconds: float | None
    attempt: int
    handed_back: int
    ended_runs: int
    # Failed tries to remove the artefacts of a cancelled job.
    cleanings: int
    curve: tuple[tuple[int, float], ...]
    adapter: AdapterFiles | None
    # Why a failed job failed; for other jobs, why the newest lost run was lost.
    last_failure: Failure | None
    likeness: float | None
    # Set for a job that succeeded.
    scores: TrainingScores | None
    cancel_requested: bool
    revision: int
    created_at: float
    started_at: float | None
    ended_at: float | None
    # The call that ordered it, see headshots.telemetry.origins.
    origin: Mapping[str, str] | None = dataclasses.field(default=None, compare=False)
    # What a running job does before its first step, one sentence; empty: nothing that takes long.
    phase_message: str = ""
    # How far a running job is in what it does; None: it does not run, or has not said anything yet.
    progress: JobProgress | None = None
    # Number of jobs ahead of it in the queue; filled in by the engine.
    queue_position: int = 0

    @property
    def failure(self) -> Failure | None:
        """Set when the job has failed."""
        return self.last_failure if self.state == "failed" else None

    @property
    def is_over(self) -> bool:
        """Whether the state is terminal."""
        return self.state in _OVER
