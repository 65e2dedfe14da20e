"""Defines what a page shows, as plain data: whoever fills these dataclasses gets a page, wherever portraits are from.

Texts are plain; the page escapes them. What is empty or None is left out of the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Picture:
    """An image file beside the page."""

    file: str
    """Path from the page's folder, with `/`."""
    width_px: int
    height_px: int
    alt: str
    """What it shows, for those who do not see it."""

    @property
    def name(self) -> str:
        """The file's name, without its folder."""
        return self.file.rpartition("/")[2]


class Outcome(StrEnum):
    """What the acceptance profile says of a portrait."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True)
class Why:
    """Why a portrait is refused, or could not be judged."""

    title: str
    """Two or three words, as `Eyes closed`."""
    message: str
    """One sentence with what was measured; may be empty."""


@dataclass(frozen=True)
class Likeness:
    """How alike the face is to the mean of the person's photos, with the scale that the gate measured it on."""

    value: float
    """Cosine, -1 to 1."""
    needed: float | None = None
    """Below this it counts as somebody else; None: nobody told."""
    own: float | None = None
    """What the person's own photos reach among each other on average, or less than that; None: nobody told."""


@dataclass(frozen=True)
class Portrait:
    """One image of an order."""

    picture: Picture
    title: str
    """Its style, for people."""
    outcome: Outcome
    seed: int
    rank: int = 0
    """From 1; 0: it has none."""
    likeness: Likeness | None = None
    why: Sequence[Why] = ()
    tries: int = 1
    prompt: str = ""
    """The words that it was painted from."""
    size_bytes: int = 0
    """Of its file."""
    hidden: bool = False
    """Not shown unless it is asked for, as a picture that may show nudity."""


@dataclass(frozen=True)
class BeforeAfter:
    """A remix: the image that was painted over, and what came of it."""

    before: Picture
    after: Picture
    change: str
    """What was asked to change, as `backdrop`."""
    words: str
    """To what, as `a city street at night`."""
    note: str = ""
    """What else to say of it, as that the new image is refused."""


@dataclass(frozen=True)
class Absent:
    """A part that was to be on the page, and could not be made."""

    why: str
    """In a sentence or two."""


@dataclass(frozen=True)
class Member:
    """One person of a team."""

    name: str
    picture: Picture
    note: str = ""
    """What the others do not have, as `repainted: light`."""


@dataclass(frozen=True)
class Measure:
    """A figure with its name, and what it should be."""

    name: str
    value: str
    limit: str = ""


@dataclass(frozen=True)
class TeamRow:
    """People in one look, in one row, and how well the pictures agree."""

    members: Sequence[Member]
    consistency: Sequence[Measure] = ()
    note: str = ""
    """Which look, and who has no portrait."""


@dataclass(frozen=True)
class Learning:
    """A training."""

    points: Sequence[tuple[int, float]]
    """(step, loss), by step."""
    steps: int
    photos: int
    rank: int = 0
    """Of the LoRA; 0: not known."""
    chosen_step: int = 0
    """The checkpoint that was taken; 0: not told."""


@dataclass(frozen=True)
class Timing:
    """A stretch of time."""

    name: str
    seconds: float


@dataclass(frozen=True)
class Page:
    """Everything on a page, in the order in which it comes."""

    title: str
    lead: str
    """A sentence or two below the title."""
    facts: Sequence[Measure]
    """At the top: what the person cares for."""
    portraits: Sequence[Portrait]
    """Best first; those without a rank last."""
    elsewhere: str = ""
    """Of portraits that are not on the page: how many, and where they are."""
    selfies: Sequence[Picture] = ()
    selfies_note: str = ""
    remix: BeforeAfter | Absent | None = None
    team: TeamRow | Absent | None = None
    learning: Learning | None = None
    timings: Sequence[Timing] = ()
    timing_note: str = ""
    figures: Sequence[Measure] = ()
    """At the foot: what the operator cares for, as memory."""
    footer: str = ""
