"""Computes the figures of faces from the results of all people, with each person's values and their spread."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.training.plan import Journal

# Of those measured person by person, in the journal's pieces "faces".
_OF_FACES = (
    "verified",
    "face_share",
    "rank1_lookalikes",
    "regular",
    "edges_overlap",
    "edges_sharpness_eyes",
    "edges_sharpness_outline",
)
ATTRIBUTES = ("outfit", "backdrop", "light")


def figures(journal: Journal) -> dict[str, float | None]:
    """Means over people; None where nothing was measured."""
    known = journal.all("faces").values()
    asked = _asked(journal)
    precision, precision_true = (
        _mean(result[key] for result in asked.values()) for key in ("precision", "precision_true")
    )
    bare = _mean(found["bare"] for found in journal.all("natural").values() if found["bare"] is not None)
    return {
        **{name: _mean(result[name] for result in known) for name in _OF_FACES},
        "stock_shortfall": _mean(result["stock_shortfall"] for result in journal.all("stock").values()),
        "natural": _ratio(precision, precision_true),
        "natural_auc": _mean(result["auc"] for result in asked.values()),
        "natural_foundation": _ratio(bare, precision_true),
    }


def prompt_drops(ours: Iterable[Mapping[str, Any]], bare: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """Points of each attribute that the adapters cost, against the bare foundation with the same prompts."""
    kept = list(ours)
    drops: dict[str, float | None] = {}
    for name in ATTRIBUTES:
        mine, theirs = (_mean(result["following"][name] for result in results) for results in (kept, bare))
        drops[f"prompt_drop_{name}"] = None if mine is None or theirs is None else 100 * (theirs - mine)
    return drops


def by_person(journal: Journal) -> dict[str, dict[str, Any]]:
    """Everything that was measured of faces: each person's value, and mean, extremes and deviation over people."""
    values: dict[str, dict[int, float]] = {}
    for kind in (journal.all("faces"), journal.all("stock"), _asked(journal)):
        for person, result in kind.items():
            for name, value in result.items():
                values.setdefault(name, {})[person] = value
    return {name: {**_spread(list(people.values())), "people": people} for name, people in values.items()}


def natural_by_person(journal: Journal) -> dict[str, list[float]]:
    """What `natural` and `natural_auc` are the means of: each person's precision over true renders', and area."""
    asked = _asked(journal).values()
    true = _mean(result["precision_true"] for result in asked)
    shares = [ratio for result in asked if (ratio := _ratio(result["precision"], true)) is not None]
    return {"natural": shares, "natural_auc": [result["auc"] for result in asked]}


def worst_first(journal: Journal) -> list[int]:
    """People by their share of the face, the least like first."""
    known = journal.all("faces")
    return sorted(known, key=lambda person: float(known[person]["face_share"]))


def _asked(journal: Journal) -> dict[int, dict[str, float]]:
    """What the nets of naturalness said, by person."""
    return {
        int(person): result for fold in journal.all("natural").values() for person, result in fold["people"].items()
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {
        "mean": statistics.fmean(values),
        "least": min(values),
        "greatest": max(values),
        "deviation": statistics.pstdev(values),
    }


def _ratio(value: float | None, over: float | None) -> float | None:
    """None where one is unknown or there is nothing to compare with."""
    return None if value is None or not over else value / over


def _mean(values: Iterable[float]) -> float | None:
    known = list(values)
    return statistics.fmean(known) if known else None
