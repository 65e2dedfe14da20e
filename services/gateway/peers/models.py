"""Defines what the gateway exchanges with trainers and generators, as frozen dataclasses; times in epoch seconds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headshots.looks.frame import Frame
from headshots.marking.rights import TenantRights
from headshots.schema import TERMINAL_STATES
from services.gateway.api.progress import TrainingProgress
from services.gateway.peers.stored_files import StoredFile

PRIORITY_STANDARD = 1  # the contract's, the default


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
class TrainingOptions:
    """Overrides of the foundation's recipe; None takes the recipe's value."""

    steps: int | None = None
    rank: int | None = None
    learning_rate: float | None = None
    batch_rows: int | None = None
    seed: int | None = None


@dataclass(frozen=True)
class TrainingRequest:
    """What a trainer is asked for; fields as in the contract's StartTrainingRequest. Kept in the training's row."""

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
    queue_position: int = 0
    attempt: int = 0
    adapter: Adapter | None = None
    failure: Failure | None = None
    started_at: float | None = None
    ended_at: float | None = None
    curve: tuple[tuple[int, float], ...] = ()
    revision: int = 0
    likeness: float | None = None
    phase_message: str = ""
    progress: TrainingProgress | None = None
    scores: dict[str, Any] | None = None
    """The contract's TrainingScores as JSON."""
    others: tuple[StoredFile, ...] = ()

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
                "progress": TrainingProgress.from_json(document.get("progress")),
                "others": tuple(StoredFile(**each) for each in document.get("others", ())),
            }
        )


@dataclass(frozen=True)
class SourceImage:
    """The image that an image is painted over.

    `repaint` is the share of the denoising steps; None takes the generator's default. `mask` is a PNG of where to
    paint, its greys the shares at soft edges; empty: everywhere. `whole`: what is painted has the image's own size, and
    nothing of the image is cut.
    """

    key: str
    sha256: str
    repaint: float | None
    mask: bytes = b""
    whole: bool = False


@dataclass(frozen=True)
class GenerationRequest:
    """One image; fields as in the contract's GenerateRequest."""

    tenant: str
    adapter: Adapter | None
    """None: the bare foundation."""
    prompt: str
    seed: int = 0
    image_format: int = 1
    quality: int = 0
    preview_every: int = 0
    output_prefix: str = ""
    priority: int = PRIORITY_STANDARD
    source: SourceImage | None = None
    """The image to paint over; None starts from noise alone."""
    rights: TenantRights | None = None
    """What the tenant says of rights; None: nothing."""
    frame: Frame | None = None
    """What the image is cut to; None: nothing."""
    negative_prompt: str = ""
    guidance_interval: tuple[float, float] | None = None
    guidance_scale: float | None = None
    """None takes the generator's default, as above; so does 0 of the fields below."""
    negative_adapter_share: float | None = None
    """As `guidance_scale`."""
    steps: int = 0
    width_px: int = 0
    height_px: int = 0


@dataclass(frozen=True)
class GeneratorDescription:
    """What a generator runs."""

    foundation_digest: str
    max_rank: int
    prompt_template: str
    trigger: str
    native_width_px: int
    native_height_px: int
    foundation: str = ""
    """Name of the foundation's folder."""
    width_range_px: tuple[int, int] = (0, 0)
    """Smallest and largest width, in pixels."""
    height_range_px: tuple[int, int] = (0, 0)
    size_multiple_px: int = 0
    steps: int = 0
    adapter_guidance_scale: float = 0.0
    guidance_interval: tuple[float, float] | None = None
    """Where in the noise schedule there is guidance; None: an older generator, which does not tell."""
    class_nouns: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    """The only words that the foundation was taught; empty where its vocabulary is open."""
    window_tokens: int = 0
    """Tokens of a prompt that the text encoders read."""
    sampler: int = 0  # the contract's Sampler
    negative_prompt: str = ""
    """What images are led away from where their style names nothing."""
    head_height: float | None = None
    """Of heads in its portraits of the native size, share of the height; None: it is not told."""
    eye_line: float | None = None
    """Of the eyes there, from the upper edge; None: it is not told."""

    @property
    def native_side_px(self) -> int:
        """The shorter side of the images that the foundation paints by default, in pixels."""
        return min(self.native_width_px, self.native_height_px)


@dataclass(frozen=True)
class TextReading:
    """What the foundation reads of a text; fields as in the contract's TextReading."""

    tokens: int
    lost: str
    unknown_words: tuple[str, ...]


@dataclass(frozen=True)
class GenerationCheck:
    """What a request would become; fields as in the contract's CheckGenerationResponse."""

    prompt: TextReading
    negative_prompt: TextReading
    width_px: int
    height_px: int
    steps: int
    guidance_scale: float
    guidance_interval: tuple[float, float] | None = None
