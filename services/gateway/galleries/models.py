"""Defines galleries, their images and their orders as frozen dataclasses. Times are seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass

from headshots.schema import TERMINAL_STATES
from services.gateway.galleries.limits import DEFAULT_SHOTS_PER_STYLE
from services.gateway.galleries.remix import Remix, RemixOrder
from services.gateway.peers.models import PRIORITY_STANDARD, Adapter, Failure


@dataclass(frozen=True)
class GalleryOrder:
    """The gallery that a caller asks for; `quality` 0 and `image_format` 1 are the contract's defaults."""

    styles: tuple[str, ...]
    shots_per_style: int = DEFAULT_SHOTS_PER_STYLE
    seed: int = 0
    image_format: int = 1
    quality: int = 0
    priority: int = PRIORITY_STANDARD
    remix: RemixOrder | None = None
    training: tuple[str, str] | None = None
    """Ids of the subject and the training whose adapter is taken; None: the subject's newest."""


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
    """Many shots of one subject; `images` are the finished ones, in the order of their numbers."""

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
    status_message: str = ""
    """One sentence on what holds it up; empty where nothing does."""
    revision: int = 0
    remix: Remix | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether it will never change again."""
        return self.state in TERMINAL_STATES
