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

from headshots.acceptance.verdict import Acceptance, Check, Verdict
from headshots.acceptance.view import View
from headshots.looks.measures import Measures
from headshots.schema import FAILED, SUCCEEDED
from services.gateway.galleries.limits import TRIES_OF_OTHERS
from services.gateway.peers.models import Failure

ALL_UNSAFE = Failure(
    "IMAGES_UNSAFE",
    "every image that was painted of this shot seemed to show nudity, so none is delivered; order it in another style, "
    "or with words for clothes",
)
"""Why a shot has no image whose tries are all withheld."""


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
    measures: Measures | None = None
    """What a team's portraits are held together by; None: it is of no look, or nothing was measured."""
    is_withheld: bool = False
    """Whether it may never be delivered, whatever becomes of the shot's other tries: it was told unsafe."""

    def with_safety(self, check: Check, *, withholds: bool) -> Judgement:
        """The judgement with the check on nudity; `withholds`: whether an image that fails it is withheld."""
        told = self.verdict
        verdict = Verdict.of(told.profile, told.profile_version, told.analyzer, (*told.checks, check))
        return dataclasses.replace(self, verdict=verdict, is_withheld=withholds and not check.passed)

    def with_checks(self, checks: Sequence[Check], measures: Measures | None) -> Judgement:
        """The judgement with further checks, and what they were made of."""
        told = self.verdict
        verdict = Verdict.of(told.profile, told.profile_version, told.analyzer, (*told.checks, *checks))
        return dataclasses.replace(self, verdict=verdict, measures=measures)

    def to_json(self) -> dict[str, Any]:
        """For a JSON column."""
        return {
            "verdict": self.verdict.to_json(),
            "likeness": self.likeness,
            "quality": self.quality,
            "view": None if self.view is None else self.view.to_json(),
            "is_withheld": self.is_withheld,
            "measures": None if self.measures is None else self.measures.to_json(),
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
            # Rows of earlier versions have none of these.
            measures=Measures.from_json(document.get("measures")),
            is_withheld=document.get("is_withheld", False),
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
    """Whether the shot has ended, with this image, a better one of its tries, or none."""
    has_image: bool
    """Whether it has ended with an image."""


def most_tries(max_tries: int, shots: int) -> int:
    """Of one shot of a gallery with so many: its own, and what the others leave, up to a limit."""
    return min(max_tries * TRIES_OF_OTHERS, max_tries * shots - (shots - 1))


def from_column(documents: Sequence[Mapping[str, Any]] | None) -> list[Try]:
    """The tries in a shot's column `refused_tries`."""
    return [Try.from_json(document) for document in documents or ()]


def best_of(tries: Sequence[Try]) -> Try | None:
    """The image of a shot after its last try: that one where it was not refused, else the most alike, or the first.

    None where all are withheld.
    """
    last, shown = tries[-1], [each for each in tries if not each.judgement.is_withheld]
    return max(shown, key=_likeness, default=None) if last.is_refused else last


def ended_with(tries: Sequence[Try]) -> dict[str, Any]:
    """What a shot's row becomes after its last try."""
    best = best_of(tries)
    others = [each.to_json() for each in tries if each is not best]
    if best is None:
        return {"state": FAILED, "refused_tries": others} | failure_columns(ALL_UNSAFE)
    return {
        "state": SUCCEEDED,
        "seed": best.seed,
        "image_key": best.key,
        "image": dict(best.image),
        "acceptance": best.judgement.verdict.acceptance.value,
        "judged": best.judgement.to_json(),
        "refused_tries": others or None,
        "failure_reason": None,
        "failure_message": None,
    }


def failure_columns(failure: Failure) -> dict[str, Any]:
    """What a shot's row tells of why it has no image, or no further try."""
    return {"failure_reason": failure.reason, "failure_message": failure.message}


def _likeness(each: Try) -> float:
    return -2.0 if each.judgement.likeness is None else each.judgement.likeness
