"""Holds the plain data that the page, the contact sheet and the report are made from, and encodes pictures."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from headshots.client import (
    Acceptance,
    PaintedImage,
    RemixChange,
    Shoot,
    Style,
    StyleConsistency,
    TeamPortrait,
    Training,
)
from headshots.client.saving import stem_by_rank, suffix_of
from headshots.console.verdicts import reason

SELFIE_SIDE_PX = 192


@dataclass(frozen=True)
class Portrait:
    """One image of the shoot, with its file and its style."""

    painted: PaintedImage
    style: Style

    @property
    def label(self) -> str:
        """The style, for people."""
        return self.style.display_name or self.style.name.removeprefix("styles/")

    @property
    def filename(self) -> str:
        """As `headshots shoot` calls it."""
        image = self.painted.image
        return f"{stem_by_rank(image)}{suffix_of(image)}"

    @property
    def outcome(self) -> str:
        """`accepted`, or why it is not, in one line."""
        verdict = self.painted.image.verdict
        if verdict is None:
            return "not judged"
        if verdict.acceptance is Acceptance.REFUSED:
            return ", ".join(map(reason, verdict.failed))
        return verdict.acceptance.value.lower().replace("_", " ")


@dataclass(frozen=True)
class Stage:
    """A stretch of the run, in seconds."""

    name: str
    seconds: float


@dataclass(frozen=True)
class LeftOut:
    """A photo that the training was not given, and the reason."""

    filename: str
    reason: str


@dataclass(frozen=True)
class Missing:
    """A part of the run that could not be made, and why; the gallery is there without it."""

    reason: str
    """UPPER_SNAKE."""
    message: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"


@dataclass(frozen=True)
class Remixed:
    """A portrait of the shoot, and what came of changing one thing of it."""

    before: Portrait
    after: PaintedImage
    change: RemixChange
    words: str
    """To what it was to be changed."""
    note: str = ""
    """Why it is not the change that was wanted; empty: it is."""


@dataclass(frozen=True)
class Teammate:
    """One person of a team, with a portrait or with why there is none."""

    name: str
    painted: PaintedImage | None
    portrait: TeamPortrait | None
    why: str = ""


@dataclass(frozen=True)
class OneLook:
    """A team, done."""

    style: str
    """For people."""
    members: Sequence[Teammate]
    consistency: StyleConsistency | None
    """None: nothing was measured."""


@dataclass(frozen=True)
class Album:
    """One person's run, done."""

    person: str
    foundation: str
    """Name of the foundation's folder."""
    library: str
    """Which styles were there to choose from, in words."""
    selfies: Sequence[bytes]
    """Image files, upright: those that the training saw."""
    left_out: Sequence[LeftOut]
    analyzer: str
    """Name of the face analyzer; empty without one."""
    training: Training
    shoot: Shoot
    portraits: Sequence[Portrait]
    """Best first; those that are not accepted come last."""
    stages: Sequence[Stage]
    seconds_per_image: float
    peak_rss_mb: float
    likeness: float | None
    """None: not measured."""
    made_on: str
    """Day and machine, for people."""
    remix: Remixed | Missing
    team: OneLook | Missing

    @property
    def image_count(self) -> int:
        """Portraits in all."""
        return len(self.portraits)

    @property
    def accepted(self) -> Sequence[Portrait]:
        """Those with a rank."""
        return [each for each in self.portraits if each.painted.image.rank]

    @property
    def others(self) -> Sequence[Portrait]:
        """Those that are refused, or that nobody could measure."""
        return [each for each in self.portraits if not each.painted.image.rank]

    @property
    def total_seconds(self) -> float:
        """All stages together."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def train_seconds(self) -> float:
        """From the shoot's creation to the end of its training, as its client saw it."""
        return next(stage.seconds for stage in self.stages if stage.name == "train")


def open_picture(content: bytes) -> Image.Image:
    """A file as an RGB picture."""
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGB")


def thumbnail(content: bytes) -> Image.Image:
    """The picture, as large as a page shows a selfie at twice its size for fine screens."""
    picture = open_picture(content)
    picture.thumbnail((SELFIE_SIDE_PX, SELFIE_SIDE_PX), Image.Resampling.LANCZOS)
    return picture
