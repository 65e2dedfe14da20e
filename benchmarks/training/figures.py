"""Computes the figures from the results of all people, and what goes into the JSON file."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from benchmarks.report import report
from benchmarks.training import face_figures
from benchmarks.training.face_figures import ATTRIBUTES
from benchmarks.training.plan import Journal, Plan
from benchmarks.training.start import start_cost
from benchmarks.training.targets import FACES, TARGETS
from foundry.train_judges import digest

LIBRARIES = ("torch", "diffusers", "peft", "accelerate", "onnxruntime")
PEER = "tuned peer"
"""The kind of the peer's trainings in the journal."""


def figures(plan: Plan, journal: Journal) -> dict[str, float | None]:
    """Every figure; None where nothing was measured."""
    ours, bare = journal.all("ours"), journal.all("bare")
    speeds, timed = journal.all("speed"), journal.all("timed")
    bare_of_ours = [bare[person] for person in ours if person in bare]
    return {
        "rank1": _mean(result["rank1"] for result in ours.values()),
        "likeness_share": _mean(_share(result) for result in ours.values()),
        "prompt_drop_points": _drop(ours.values(), bare_of_ours),
        **face_figures.prompt_drops(ours.values(), bare_of_ours),
        "control_rank1": _mean(result["rank1"] for result in bare.values()),
        "accepted_share": _mean(
            result["accepted_share"] for result in ours.values() if result["accepted_share"] is not None
        ),
        "seconds_per_training": _mean(result["seconds"] for result in timed.values()),
        "steps_per_second_ratio": speeds[plan.rows]["ratio"]["median"] if plan.rows in speeds else None,
        "steps_per_second_vs_tuned": min((speed["ratio_tuned"]["median"] for speed in speeds.values()), default=None),
        "likeness_gain_equal_time": _mean(_gains(journal).values()),
        **face_figures.figures(journal),
    }


def result(plan: Plan, journal: Journal) -> dict[str, Any]:
    """All that goes into the file."""
    ours, peers = journal.all("ours"), journal.all(PEER)
    refused: Counter[str] = Counter()
    for one in ours.values():
        refused.update(one["refused_for"])
    found = {name: value for name, value in figures(plan, journal).items() if value is not None}
    details = {
        "spread": _spread(plan, journal),
        "faces": face_figures.by_person(journal),
        "strangers": journal.get("strangers", 0),
        "teaching_of_naturalness": {fold: found["taught"] for fold, found in journal.all("natural").items()},
        "foundation": plan.described.name,
        "foundation_digest": plan.digest,
        "cast": plan.cast.name,
        "people": len(ours),
        "peer_people": len(peers),
        "portraits_each": plan.scenes * plan.seeds,
        "gallery": plan.gallery,
        "analyzer": plan.faces,
        "judge": f"foundry.judges {digest()}",
        "refused_for": dict(refused),
        "following": _following(ours.values()),
        "following_bare": _following(journal.all("bare").values()),
        "peer_likeness_share": _mean(_share(result) for result in peers.values()),
        "likeness_gains": _gains(journal),
        "speed": journal.all("speed"),
        "start": start_cost(plan.described.initial_weights_sha256),
        "cores_timed": asdict(plan.cores),
        "timed": journal.all("timed"),
        "trainings": ours,
        "peer_trainings": peers,
    }
    return report(TARGETS, found, LIBRARIES, details)


def _spread(plan: Plan, journal: Journal) -> dict[str, list[float]]:
    """Least and greatest of what a figure is the mean of: people's values; of steps a second, those of single turns."""
    ours, bare, speeds = journal.all("ours"), journal.all("bare"), journal.all("speed")
    of_faces = face_figures.by_person(journal)
    single: dict[str, Iterable[float]] = {
        "rank1": (one["rank1"] for one in ours.values()),
        "likeness_share": map(_share, ours.values()),
        "prompt_drop_points": (100 * (_followed(bare[of]) - _followed(one)) for of, one in ours.items() if of in bare),
        "control_rank1": (one["rank1"] for one in bare.values()),
        "accepted_share": (one["accepted_share"] for one in ours.values() if one["accepted_share"] is not None),
        "seconds_per_training": (one["seconds"] for one in journal.all("timed").values()),
        "likeness_gain_equal_time": _gains(journal).values(),
        **{
            f"prompt_drop_{name}": [
                100 * (bare[of]["following"][name] - one["following"][name]) for of, one in ours.items() if of in bare
            ]
            for name in ATTRIBUTES
        },
        **face_figures.natural_by_person(journal),
        **{name: of_faces[name]["people"].values() for name in FACES if name in of_faces},
    }
    if speeds:
        nearest = min((speed["ratio_tuned"] for speed in speeds.values()), key=lambda one: float(one["median"]))
        single["steps_per_second_vs_tuned"] = (nearest["lowest"], nearest["highest"])
    if plan.rows in speeds:
        plain = speeds[plan.rows]["ratio"]
        single["steps_per_second_ratio"] = (plain["lowest"], plain["highest"])
    known = {name: list(values) for name, values in single.items()}
    return {name: [round(min(values), 4), round(max(values), 4)] for name, values in known.items() if values}


def _gains(journal: Journal) -> dict[int, float]:
    """By person, the likeness share that ours gained over the peer's in the same time."""
    ours = journal.all("ours")
    return {person: _share(ours[person]) - _share(theirs) for person, theirs in journal.all(PEER).items()}


def _share(result: Mapping[str, Any]) -> float:
    return float(result["likeness"]) / float(result["own_likeness"])


def _drop(ours: Iterable[Mapping[str, Any]], bare: Iterable[Mapping[str, Any]]) -> float | None:
    """Points of outfit and backdrop together that the adapters cost."""
    mine, theirs = _mean(map(_followed, ours)), _mean(map(_followed, bare))
    return None if mine is None or theirs is None else 100 * (theirs - mine)


def _followed(result: Mapping[str, Any]) -> float:
    return float(result["following"]["outfit"] + result["following"]["backdrop"]) / 2


def _following(results: Iterable[Mapping[str, Any]]) -> dict[str, float | None]:
    kept = list(results)
    return {name: _mean(result["following"][name] for result in kept) for name in ATTRIBUTES}


def _mean(values: Iterable[float]) -> float | None:
    known = list(values)
    return statistics.fmean(known) if known else None
