"""The gateway's nouns as frozen dataclasses: what the engine takes and gives. Times are seconds since the epoch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headshots.schema import TERMINAL_STATES
from services.gateway.galleries.remix import Remix, RemixOrder

MIN_TRAINING_PHOTOS = 6
MAX_PHOTOS = 100
MAX_PHOTO_BYTES = 20 * 2**20
MAX_SHOTS = 160
DEFAULT_SHOTS_PER_STYLE = 4
SEEDS = 2**32
PRIORITY_STANDARD, PRIORITY_HIGH = 1, 2


@dataclass(frozen=True)
class Tenant:
    """A customer."""

    id: str
    display_name: str
    created_at: float


@dataclass(frozen=True)
class Adapter:
    """A subject's LoRA by reference; fields as in the contract's Adapter."""

    sha256: str
    key: str
    foundation_digest: str
    rank: int
    trigger: str
    size_bytes: int
    kohya_key: str
    manifest_key: str

    @classmethod
    def from_json(cls, document: Mapping[str, Any] | None) -> Adapter | None:
        """From a JSON column."""
        return cls(**document) if document else None


@dataclass(frozen=True)
class Failure:
    """Why a job failed: an UPPER_SNAKE reason and a sentence."""

    reason: str
    message: str


@dataclass(frozen=True)
class Subject:
    """A person."""

    id: str
    display_name: str
    class_noun: str
    created_at: float
    photo_count: int
    adapter: Adapter | None


@dataclass(frozen=True)
class Photo:
    """A stored selfie; `sha256` and `size_bytes` are the upload's, the sides are those of the stored picture."""

    subject_id: str
    sha256: str
    size_bytes: int
    width_px: int
    height_px: int
    filename: str
    created_at: float


@dataclass(frozen=True)
class TrainingOptions:
    """Overrides of the foundation's recipe; None takes the recipe's value."""

    steps: int | None = None
    rank: int | None = None
    learning_rate: float | None = None
    batch_rows: int | None = None
    seed: int | None = None


@dataclass(frozen=True)
class TrainingRequest:
    """What a trainer is asked for; fields as in the contract's StartTrainingRequest. Frozen in the training's row."""

    job_id: str
    tenant: str
    photos: tuple[tuple[str, str], ...]
    """(object-store key, SHA-256 of the object)."""
    output_prefix: str
    class_noun: str
    options: TrainingOptions
    priority: int

    def to_json(self) -> dict[str, Any]:
        """For a JSON column."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> TrainingRequest:
        """From a JSON column."""
        return cls(
            **{
                **document,
                "photos": tuple((key, sha256) for key, sha256 in document["photos"]),
                "options": TrainingOptions(**document["options"]),
            }
        )


@dataclass(frozen=True)
class TrainingJob:
    """How far a training is; fields as in the contract's TrainingJob."""

    state: str
    step: int = 0
    total_steps: int = 0
    loss: float = 0.0
    eta_seconds: float | None = None
    queue_place: int = 0
    attempt: int = 0
    adapter: Adapter | None = None
    failure: Failure | None = None
    started_at: float | None = None
    ended_at: float | None = None
    curve: tuple[tuple[int, float], ...] = ()
    revision: int = 0
    likeness: float | None = None
    scores: dict[str, Any] | None = None
    """The contract's TrainingScores as JSON."""

    @property
    def is_terminal(self) -> bool:
        """Whether it will never change again."""
        return self.state in TERMINAL_STATES

    def to_json(self) -> dict[str, Any]:
        """For a JSON column."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> TrainingJob:
        """From a JSON column."""
        return cls(
            **{
                **document,
                "adapter": Adapter.from_json(document["adapter"]),
                "failure": Failure(**document["failure"]) if document["failure"] else None,
                "curve": tuple((step, loss) for step, loss in document["curve"]),
            }
        )


@dataclass(frozen=True)
class Training:
    """One run that makes an adapter."""

    id: str
    subject_id: str
    request: TrainingRequest
    job: TrainingJob
    created_at: float
    ended_at: float | None = None
    note: str = ""
    revision: int = 0
    sent: bool = False
    submitted: bool = False
    cancel_requested: bool = False


@dataclass(frozen=True)
class GalleryOrder:
    """What a caller asks for in a gallery; `quality` 0 and `image_format` 1 are the contract's defaults."""

    styles: tuple[str, ...]
    shots_per_style: int = DEFAULT_SHOTS_PER_STYLE
    seed: int = 0
    image_format: int = 1
    quality: int = 0
    priority: int = PRIORITY_STANDARD
    remix: RemixOrder | None = None


@dataclass(frozen=True)
class Image:
    """A finished shot."""

    number: int
    style: str
    prompt: str
    seed: int
    width_px: int
    height_px: int
    content_type: str
    size_bytes: int
    sha256: str
    key: str
    seconds: float
    likeness: float | None = None
    """None: not measured."""


@dataclass(frozen=True)
class Gallery:
    """Many shots of one subject."""

    id: str
    subject_id: str
    state: str
    styles: tuple[str, ...]
    shots_per_style: int
    seed: int
    total_shots: int
    completed_shots: int
    failed_shots: int
    adapter: Adapter
    created_at: float
    ended_at: float | None = None
    failure: Failure | None = None
    images: tuple[Image, ...] = ()
    note: str = ""
    revision: int = 0
    remix: Remix | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether it will never change again."""
        return self.state in TERMINAL_STATES


@dataclass(frozen=True)
class ShotPreview:
    """A glimpse of a shot while it is painted; `content` is a small JPEG."""

    shot: int
    step: int
    total_steps: int
    content: bytes
