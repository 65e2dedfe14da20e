"""Holds the plain data that the page, the contact sheet and the report are made from, and encodes pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from headshots.client import Acceptance, PaintedImage, Shoot, Style, Training
from headshots.console.verdicts import reason

INLINE_SIDE_PX = 1024
SELFIE_SIDE_PX = 320


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


def thumbnail_uri(content: bytes, side_px: int = SELFIE_SIDE_PX) -> str:
    """The picture, its longer side at most `side_px`, as a JPEG data URI."""
    picture = open_picture(content)
    picture.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    return _jpeg_uri(picture)


def picture_uri(painted: PaintedImage) -> str:
    """The image's own file as a data URI; where it is larger than a page needs, a JPEG of at most 1024 px."""
    if max(painted.image.width_px, painted.image.height_px) <= INLINE_SIDE_PX:
        return data_uri(painted.content, painted.image.content_type)
    return thumbnail_uri(painted.content, INLINE_SIDE_PX)


def data_uri(content: bytes, media_type: str) -> str:
    """A file as a data URI."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def _jpeg_uri(picture: Image.Image) -> str:
    packed = io.BytesIO()
    picture.save(packed, "JPEG", quality=88)
    return data_uri(packed.getvalue(), "image/jpeg")
