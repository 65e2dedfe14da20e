"""Counts what the gate says of true, look-alike and spoilt portraits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from benchmarks.acceptance.making import Shot, Studio
from benchmarks.acceptance.people import Person, selfies, true_portrait
from benchmarks.acceptance.spoiling import SPOILT
from headshots.acceptance import Acceptance, Candidate, Gate, Judged, Profile, Reference, measure_reference, ranked
from headshots.faces import FaceAnalyzer, Pixels

PERCENTILES = (0, 2, 5, 50, 95, 98, 100)
DRAWN_PX = 128
"""Side of drawn portraits: that of the bundled foundation's."""
# The first ten of a gallery over eight styles.
_FIRST, _STYLES = 10, 8


@dataclass(frozen=True)
class Sitting:
    """The portraits of one person and of the look-alike, by how they were made; and the person's reference."""

    reference: Reference
    true: Mapping[str, Sequence[Shot]]
    look_alike: Mapping[str, Sequence[Shot]]


def sitting(studio: Studio, analyzer: FaceAnalyzer, number: int, are_painted: bool) -> Sitting:
    """Draws, and trains and paints where ``are_painted``, whatever is not there yet."""
    person, other = Person(number), Person(number, is_look_alike=True)
    reference = measure_reference(analyzer, selfies(person))
    assert reference is not None
    true, look_alike = {"drawn": _drawn(studio, person)}, {"drawn": _drawn(studio, other)}
    if are_painted:
        true["painted"], look_alike["painted"] = studio.painted(person), studio.painted(other)
    return Sitting(reference, true, look_alike)


def report(sittings: Sequence[Sitting], analyzer: FaceAnalyzer, profile: Profile) -> dict[str, Any]:
    """Shares of portraits, and percentiles of what each check measured."""
    gates = [Gate(analyzer, each.reference, profile) for each in sittings]
    made = sittings[0].true.keys()
    judged = {
        how: [[gate.judge(shot.pixels) for shot in each.true[how]] for gate, each in zip(gates, sittings, strict=True)]
        for how in made
    }
    others = {
        how: [
            [gate.judge(shot.pixels) for shot in each.look_alike[how]]
            for gate, each in zip(gates, sittings, strict=True)
        ]
        for how in made
    }
    return {
        "profile": profile.to_json(),
        "people": len(sittings),
        "true": {how: _told(judged[how]) for how in made},
        "look_alikes": {how: _told(others[how]) for how in made},
        "spoilt": {how: dict(_spoilt(gates, [each.true[how] for each in sittings], analyzer)) for how in made},
        "near_duplicates": {how: _same_style(judged[how], sittings, how, profile) for how in made},
        "first_ten": {how: _first_ten(judged[how], sittings, how) for how in made},
    }


def _drawn(studio: Studio, person: Person) -> list[Shot]:
    return [
        Shot(style.name, shot, true_portrait(person, style, 2 * number + shot, DRAWN_PX, studio.framing))
        for number, style in enumerate(studio.styles)
        for shot in (0, 1)
    ]


def _told(of_people: Sequence[Sequence[Judged]]) -> dict[str, Any]:
    judged = [each for mine in of_people for each in mine]
    measured: dict[str, list[float]] = defaultdict(list)
    for each in judged:
        for check in each.verdict.checks:
            if check.measured is not None:
                measured[check.reason].append(check.measured)
    return {
        "portraits": len(judged),
        "accepted": _share(judged),
        "accepted_of_each_person": [round(_share(mine), 3) for mine in of_people],
        "refused_for": dict(
            Counter(check.reason for each in judged for check in each.verdict.checks if not check.passed)
        ),
        "measured": {
            reason: np.percentile(values, PERCENTILES).round(3).tolist() for reason, values in measured.items()
        },
    }


def _spoilt(
    gates: Sequence[Gate], shots_of_people: Sequence[Sequence[Shot]], analyzer: FaceAnalyzer
) -> Iterator[tuple[str, dict[str, float]]]:
    """Only portraits that were accepted before: whatever refuses them then is what was done to them."""
    good: list[tuple[Gate, Pixels]] = [
        (gate, shot.pixels)
        for gate, shots in zip(gates, shots_of_people, strict=True)
        for shot in shots[::2]
        if _is_accepted(gate.judge(shot.pixels))
    ]
    for how, (spoil, reason) in SPOILT.items():
        judged = [gate.judge(spoil(pixels, analyzer.faces(pixels)[0])) for gate, pixels in good]
        seen = [any(c.reason == reason and not c.passed for c in each.verdict.checks) for each in judged]
        yield how, {"portraits": len(judged), "refused": 1 - _share(judged), "by_its_check": float(np.mean(seen))}


def _same_style(
    of_people: Sequence[Sequence[Judged]], sittings: Sequence[Sitting], how: str, profile: Profile
) -> dict[str, float]:
    """Pairs of shots of one style from two seeds, which are no duplicates."""
    apart = [
        judged[one].view.hash_difference(judged[two].view)
        for judged, each in zip(of_people, sittings, strict=True)
        for one, two in combinations(range(len(judged)), 2)
        if each.true[how][one].style == each.true[how][two].style
    ]
    taken = float(np.mean([value < profile.limits.min_difference for value in apart]))
    return {"pairs": len(apart), "taken_for_duplicates": taken, "least": float(min(apart))}


def _first_ten(of_people: Sequence[Sequence[Judged]], sittings: Sequence[Sitting], how: str) -> list[dict[str, float]]:
    """Of each person, a gallery over eight styles: how many styles the first ten show, and how like they are."""
    told = []
    for judged, each in zip(of_people, sittings, strict=True):
        styles = sorted({shot.style for shot in each.true[how]})[:_STYLES]
        candidates = [
            Candidate(one.likeness, one.quality, shot.style, one.view)
            for one, shot in zip(judged, each.true[how], strict=True)
            if _is_accepted(one) and one.likeness is not None and shot.style in styles
        ]
        first = [candidates[index] for index in ranked(candidates)[:_FIRST]]
        if len(candidates) > _FIRST:
            gain = np.mean([one.likeness for one in first]) - np.mean([one.likeness for one in candidates])
            told.append({"of": len(candidates), "styles": len({one.style for one in first}), "gain": float(gain)})
    return told


def _share(judged: Sequence[Judged]) -> float:
    return float(np.mean([_is_accepted(each) for each in judged]))


def _is_accepted(judged: Judged) -> bool:
    return judged.verdict.acceptance is Acceptance.ACCEPTED
