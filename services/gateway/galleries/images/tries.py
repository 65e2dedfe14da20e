"""Defines what was judged of a try, and which of a shot's tries is its image where none was accepted.

A shot is painted from one seed after another until an image is accepted; each is a try. The gallery's shots share a
budget of `max_tries` for each of them: most need one, so that a hard one can have more. Those that are not the shot's
image stay in its row, and their files in the store, until the gallery, the image or the subject is deleted.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headshots.acceptance.verdict import Acceptance, Verdict
from headshots.acceptance.view import View
from services.gateway.galleries.limits import TRIES_OF_OTHERS


@dataclass(frozen=True)
class Judgement:
    """What is known of an image that was judged."""

    verdict: Verdict
    likeness: float | None = None
    """From -1 to 1; None: not measured."""
    quality: float = 0.0
    """From 0 to 1; 0 where nothing was measured."""
    view: View | None = None
    """What tells it from other images; None where nothing was measured."""

    def to_json(self) -> dict[str, Any]:
        """For a JSON column."""
        return {
            "verdict": self.verdict.to_json(),
            "likeness": self.likeness,
            "quality": self.quality,
            "view": None if self.view is None else self.view.to_json(),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any] | None) -> Judgement | None:
        """From a JSON column; None stays None."""
        if document is None:
            return None
        return cls(
            Verdict.from_json(document["verdict"]),
            document["likeness"],
            document["quality"],
            None if document["view"] is None else View.from_json(document["view"]),
        )


@dataclass(frozen=True)
class Try:
    """One seed of a shot: its image and what was judged of it."""

    seed: int
    key: str
    """Of the image's file in the object store."""
    image: Mapping[str, Any]
    """The further fields of `models.Image`, as the shot's row keeps them."""
    judgement: Judgement

    def to_json(self) -> dict[str, Any]:
        """For a JSON column."""
        return {**dataclasses.asdict(self), "judgement": self.judgement.to_json()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Try:
        """From a JSON column."""
        judgement = Judgement.from_json(document["judgement"])
        assert judgement is not None
        return cls(document["seed"], document["key"], document["image"], judgement)

    @property
    def is_refused(self) -> bool:
        """Whether another seed may do better: where nothing can be measured, none would."""
        return self.judgement.verdict.acceptance is Acceptance.REFUSED


@dataclass(frozen=True)
class Recorded:
    """What became of a try once it was recorded."""

    judgement: Judgement
    """With the check against the gallery's accepted images."""
    is_last: bool
    """Whether the shot has ended, with this image or a better one of its tries."""


def most_tries(max_tries: int, shots: int) -> int:
    """Of one shot of a gallery with so many: its own, and what the others leave, up to a limit."""
    return min(max_tries * TRIES_OF_OTHERS, max_tries * shots - (shots - 1))


def from_column(documents: Sequence[Mapping[str, Any]] | None) -> list[Try]:
    """The tries in a shot's column `refused_tries`."""
    return [Try.from_json(document) for document in documents or ()]


def best_of(tries: Sequence[Try]) -> Try:
    """The image of a shot after its last try: that one where it was not refused, else the most alike, or the first."""
    last = tries[-1]
    return max(tries, key=_likeness) if last.is_refused else last


def _likeness(each: Try) -> float:
    return -2.0 if each.judgement.likeness is None else each.judgement.likeness
