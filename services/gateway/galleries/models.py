"""Defines galleries, their images and their orders as frozen dataclasses. Times are seconds since the epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from headshots.acceptance.profiles import Profile
from headshots.looks.frame import Frame
from headshots.schema import TERMINAL_STATES
from services.gateway.api.labels import Labelling
from services.gateway.galleries.images.tries import Judgement
from services.gateway.galleries.limits import DEFAULT_PROFILE, DEFAULT_SHOTS_PER_STYLE
from services.gateway.galleries.orders.seeds import StyleSeeds
from services.gateway.galleries.remix import Remix, RemixOrder, is_change
from services.gateway.peers.models import PRIORITY_STANDARD, Adapter, Failure


@dataclass(frozen=True)
class GalleryOrder:
    """The gallery that a caller asks for; `quality` 0 and `image_format` 1 are the contract's defaults."""

    styles: tuple[str, ...]
    shots_per_style: int = 0
    """0: the default, where `style_shots` is empty."""
    style_shots: tuple[int, ...] = ()
    """Shots of each style; empty: `shots_per_style` of each."""
    seed: int = 0
    image_format: int = 1
    quality: int = 0
    priority: int = PRIORITY_STANDARD
    remix: RemixOrder | None = None
    training: tuple[str, str] | None = None
    """Ids of the subject and the training whose adapter is taken; None: the subject's newest."""
    profile: str = DEFAULT_PROFILE
    """What images are judged by."""
    max_tries: int = 1
    """Seeds that are tried for a shot at most."""
    allow_unjudged: bool = False
    """Whether it may be painted though the subject's photos are gone and nothing can be judged."""
    style_seeds: StyleSeeds = StyleSeeds.SAME
    frame: Frame | None = None
    """What images are cut to; None: nothing. Of teams' orders alone."""
    labelling: Labelling = field(default_factory=Labelling)

    @property
    def changes(self) -> bool:
        """Whether one thing of an image is to change."""
        return is_change(self.remix)

    @property
    def counts(self) -> tuple[int, ...]:
        """Shots of each style, in their order."""
        default = 1 if self.changes else DEFAULT_SHOTS_PER_STYLE
        return self.style_shots or (self.shots_per_style or default,) * len(self.styles)


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
    judgement: Judgement | None = None
    """None: not judged yet, as of images that are older than judging."""
    tries: int = 1
    """Seeds that were tried for the shot."""
    rank: int = 0
    """Its place among the gallery's accepted images, from 1; 0: not accepted, or not asked for."""
    labelling: Labelling = field(default_factory=Labelling)


@dataclass(frozen=True)
class Gallery:
    """Many shots of one subject; `images` are the finished ones, in the order of their numbers."""

    id: str
    subject_id: str
    state: str
    styles: tuple[str, ...]
    style_shots: tuple[int, ...]
    """Shots of each style."""
    seed: int
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
    profile: Profile | None = None
    """None: it is older than judging."""
    max_tries: int = 1
    accepted_shots: int = 0
    tries: int = 0
    """Seeds tried so far, of all shots."""
    guarantee: str | None = None
    """See `state`; None before it has succeeded."""
    regenerates: str = ""
    """Name of the image that it was asked for in place of; empty: none."""
    images_expire_at: float | None = None
    """From when on no call finds its images; None: they are kept as long as the subject, or it has not ended."""
    style_seeds: StyleSeeds = StyleSeeds.SAME
    labelling: Labelling = field(default_factory=Labelling)

    @property
    def total_shots(self) -> int:
        """Shots in all."""
        return sum(self.style_shots)

    @property
    def shots_per_style(self) -> int:
        """Shots of each style; 0 where they differ."""
        return self.style_shots[0] if len(set(self.style_shots)) == 1 else 0

    @property
    def is_terminal(self) -> bool:
        """Whether it will never change again."""
        return self.state in TERMINAL_STATES


def place_of(number: int, style_shots: Sequence[int]) -> tuple[int, int]:
    """Of a shot's number, the index of its style, and which of its style's shots it is, from 0."""
    for style, count in enumerate(style_shots):
        if number < count:
            return style, number
        number -= count
    raise AssertionError("the gallery has no such shot")
