"""Tells how alike the portraits of a team are, and which of them fall out."""

from __future__ import annotations

import statistics
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Generic, TypeVar

from headshots.looks.colours import Lab, delta_e
from headshots.looks.measures import Measures

MAX_EYE_LINE, MAX_HEAD_HEIGHT = 0.01, 0.01
"""Shares of the height that a portrait may be from the team's median."""
MAX_BACKDROP = 3.0
"""CIEDE2000 that a portrait's backdrop may be from the team's median colour."""
MAX_LIGHT = 0.15
"""How far the cheeks' difference in brightness may be from the team's median."""

KeyT = TypeVar("KeyT", bound=Hashable)


class Fault(StrEnum):
    """What a portrait falls out by."""

    NOT_MEASURED = "not_measured"
    """Nobody could tell where its face is."""
    NOT_ACCEPTED = "not_accepted"
    """Its acceptance profile refuses it."""
    EYE_LINE = "eye_line"
    HEAD_HEIGHT = "head_height"
    BACKDROP = "backdrop"
    LIGHT = "light"


@dataclass(frozen=True)
class Seen:
    """A portrait as it counts."""

    measures: Measures | None
    accepted: bool


@dataclass(frozen=True)
class Deviation:
    """How far a portrait is from the team's median in one measure, in that measure's unit."""

    fault: Fault
    """What it falls out by where it is further than allowed."""
    apart: float
    """0 or more."""
    allowed: float

    @property
    def share(self) -> float:
        """Of what is allowed; above 1 it falls out."""
        return self.apart / self.allowed


@dataclass(frozen=True)
class Middle:
    """The medians of the portraits of one style."""

    eye_line: float
    head_height: float
    light: float
    backdrop: Lab | None
    """None where no portrait's was measured."""


@dataclass(frozen=True)
class Consistency(Generic[KeyT]):
    """How alike portraits of one style are; spreads are over those that were measured and accepted."""

    portraits: int
    """Of those that were measured."""
    middle: Middle
    eye_line_spread: float
    """The largest less the smallest, share of the height."""
    head_height_spread: float
    light_spread: float
    backdrop_delta_e: float | None
    """Median over all pairs; None with fewer than two."""
    faults: Mapping[KeyT, tuple[Fault, ...]]
    """Of those that fall out."""


def consistency(portraits: Mapping[KeyT, Seen]) -> Consistency[KeyT] | None:
    """Of the portraits of one style; None where none was measured.

    Medians are of the accepted ones where there are any: a portrait that is refused tells nothing of the look.
    """
    measured = {key: seen.measures for key, seen in portraits.items() if seen.measures is not None}
    good = {key: found for key, found in measured.items() if portraits[key].accepted} or measured
    if not good:
        return None
    kept = list(good.values())
    middle = _middle(kept)
    faults = {key: told for key, seen in portraits.items() if (told := tuple(_faults(seen, middle)))}
    return Consistency(
        portraits=len(kept),
        middle=middle,
        eye_line_spread=_spread([each.eye_line for each in kept]),
        head_height_spread=_spread([each.head_height for each in kept]),
        light_spread=_spread([each.light for each in kept]),
        backdrop_delta_e=_median_pair([each.backdrop for each in kept if each.backdrop is not None]),
        faults=faults,
    )


def distance(seen: Seen, middle: Middle) -> float:
    """How far a portrait is from the middle, in limits: up to 1 it does not fall out. Of what is not accepted, or not
    measured, infinite."""
    if seen.measures is None or not seen.accepted:
        return float("inf")
    return max(each.share for each in _deviations(seen.measures, middle))


def deviations(seen: Seen, middle: Middle) -> tuple[Deviation, ...]:
    """The measures by which a portrait falls out, each with its limit; empty where there are none, or none is known."""
    if seen.measures is None:
        return ()
    return tuple(each for each in _deviations(seen.measures, middle) if each.share > 1)


def _middle(kept: Sequence[Measures]) -> Middle:
    backdrops = [each.backdrop for each in kept if each.backdrop is not None]
    colour = [statistics.median(channel) for channel in zip(*backdrops, strict=True)]
    return Middle(
        statistics.median(each.eye_line for each in kept),
        statistics.median(each.head_height for each in kept),
        statistics.median(each.light for each in kept),
        (colour[0], colour[1], colour[2]) if colour else None,
    )


def _faults(seen: Seen, middle: Middle) -> list[Fault]:
    if seen.measures is None:
        return [Fault.NOT_MEASURED]
    refused = [] if seen.accepted else [Fault.NOT_ACCEPTED]
    return refused + [each.fault for each in deviations(seen, middle)]


def _deviations(found: Measures, middle: Middle) -> list[Deviation]:
    told = [
        Deviation(Fault.EYE_LINE, abs(found.eye_line - middle.eye_line), MAX_EYE_LINE),
        Deviation(Fault.HEAD_HEIGHT, abs(found.head_height - middle.head_height), MAX_HEAD_HEIGHT),
        Deviation(Fault.LIGHT, abs(found.light - middle.light), MAX_LIGHT),
    ]
    if found.backdrop is not None and middle.backdrop is not None:
        told.insert(2, Deviation(Fault.BACKDROP, delta_e(found.backdrop, middle.backdrop), MAX_BACKDROP))
    return told


def _spread(values: Sequence[float]) -> float:
    return max(values) - min(values)


def _median_pair(colours: Sequence[Lab]) -> float | None:
    apart = [delta_e(one, other) for one, other in combinations(colours, 2)]
    return statistics.median(apart) if apart else None
