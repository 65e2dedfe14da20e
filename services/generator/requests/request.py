"""Defines what the generator is asked and what it answers, without protobuf."""

from __future__ import annotations

from dataclasses import dataclass

from headshots.looks.frame import Frame
from headshots.marking.rights import TenantRights
from services.generator.adapters.tiers import AdapterRef

DEFAULT_QUALITY = 92
"""Of JPEG and WebP files, 1 to 100."""


@dataclass(frozen=True)
class StoredPicture:
    """A picture file in the object store: its key and the SHA-256 that it must have."""

    key: str
    sha256: str


Picture = StoredPicture | bytes
"""A picture file, by reference or by value."""


@dataclass(frozen=True)
class Source:
    """The source image, and how much of it is repainted.

    ``repaint``: share of the steps that are taken, above 0 to 1; None is 0.8, with a mask 1. ``mask``: light where the
    picture is repainted, dark where its pixels stay; None repaints everywhere. ``soft``: whether its greys mix the two.
    ``whole``: whether the image has the picture's own size, and nothing of the picture is cut.
    """

    picture: Picture
    repaint: float | None = None
    mask: Picture | None = None
    soft: bool = False
    whole: bool = False


@dataclass(frozen=True)
class GenerationRequest:
    """Images to generate. Zero, empty and None take the foundation's default.

    ``guidance_interval``: from where to where of the noise schedule, see :meth:`.Schedule.guided`;
    ``seed`` 0 to 2^32-1, image i takes ``seed + i``; ``noise``: what to start from instead, see
    :func:`.plan.make_plan`; ``extension`` png, jpg or webp; ``deadline_seconds``: time left for the
    whole request, None for no limit; ``output_prefix``: where in the object store images go, empty to answer their
    bytes; ``rights``: what the tenant says of them; None: nothing; ``frame``: what they are cut to; None: nothing.
    """

    tenant: str
    prompt: str
    adapter: AdapterRef | None = None
    adapter_strength: float | None = None
    negative_adapter_share: float | None = None
    negative_prompt: str = ""
    source: Source | None = None
    seed: int = 0
    noise: bytes = b""
    steps: int = 0
    guidance_scale: float | None = None
    guidance_interval: tuple[float, float] | None = None
    width_px: int = 0
    height_px: int = 0
    sampler: str = ""
    extension: str = "png"
    quality: int = 0
    images: int = 1
    preview_every: int = 0
    output_prefix: str = ""
    rights: TenantRights | None = None
    frame: Frame | None = None
    high: bool = False
    deadline_seconds: float | None = None


@dataclass(frozen=True)
class Queued:
    """Accepted; ``position``: requests ahead."""

    position: int


@dataclass(frozen=True)
class Started:
    """Every image of the request has its rows; ``queue_seconds``: how long it waited."""

    queue_seconds: float


@dataclass(frozen=True)
class StepDone:
    """Image ``index`` has ``step`` of ``total_steps`` steps done; ``preview``: a small JPEG where asked for."""

    index: int
    step: int
    total_steps: int
    preview: bytes = b""


@dataclass(frozen=True)
class GeneratedImage:
    """Image ``index``: ``content`` or, where a prefix was given, ``key``."""

    index: int
    content: bytes
    key: str
    sha256: str
    size_bytes: int
    content_type: str
    width_px: int
    height_px: int
    seed: int
    mark_id: str
    """Of its watermark, 16 hex digits; empty: it has none."""
    frame_missed: str = ""
    """Why it was not cut to the request's frame, see :class:`headshots.looks.cropping.Missed`; empty: it was, or there
    was none."""


Event = Queued | Started | StepDone | GeneratedImage
