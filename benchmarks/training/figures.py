"""Computes the figures from the results of all people, and writes the table and the JSON file."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from benchmarks.report import machine, revision, versions
from benchmarks.training import face_figures
from benchmarks.training.plan import Journal, Plan
from benchmarks.training.start import start_cost
from foundry.train_judges import digest

# Figure: (goal, whether at most or at least, what it says).
GOALS: Mapping[str, tuple[float, str, str]] = {
    "rank1": (0.80, ">=", "portraits that name their person"),
    "likeness_share": (0.85, ">=", "likeness to true photos / photo to photo"),
    "prompt_drop_points": (5.0, "<=", "prompt following lost, outfit and backdrop, points"),
    "control_rank1": (0.05, "<=", "rank 1 of the bare foundation"),
    "accepted_share": (0.80, ">=", "portraits fit for a profile at first try"),
    "seconds_per_training": (90.0, "<=", "a training alone on the machine's cores"),
    "steps_per_second_ratio": (2.0, ">=", "optimizer steps a second, ours / plain peer's"),
    "steps_per_second_vs_tuned": (1.3, ">=", "the same / tuned peer's, of the rows with the least"),
    "likeness_gain_equal_time": (0.03, ">", "likeness share after the same time, ours - tuned peer's"),
}

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


def report(plan: Plan, journal: Journal) -> dict[str, Any]:
    """All that goes into the file."""
    ours, peers = journal.all("ours"), journal.all(PEER)
    refused: Counter[str] = Counter()
    for result in ours.values():
        refused.update(result["refused_for"])
    return {
        "figures": figures(plan, journal),
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
        "revision": revision(),
        "machine": machine(),
        "versions": versions(("torch", "diffusers", "peft", "accelerate", "onnxruntime")),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "trainings": ours,
        "peer_trainings": peers,
    }


def table(result: Mapping[str, Any]) -> Table:
    """Figures against goals."""
    shown = Table(title=f"training, {result['foundation']}, {result['people']} people never trained on")
    for column in ("figure", "measured", "goal", "what"):
        justify: Any = "left" if column in ("figure", "what") else "right"
        shown.add_column(column, justify=justify, no_wrap=column == "figure")
    for name, (goal, kind, what) in GOALS.items():
        value = result["figures"][name]
        shown.add_row(name, "not measured" if value is None else f"{value:.3f}", f"{kind} {goal:g}", what)
    for name, wanted in face_figures.GOALS.items():
        value = result["figures"][name]
        shown.add_row(name, "not measured" if value is None else f"{value:.3f}", str(wanted), wanted.what)
    return shown


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
    return {name: _mean(result["following"][name] for result in kept) for name in ("outfit", "backdrop", "light")}


def _mean(values: Iterable[float]) -> float | None:
    known = list(values)
    return statistics.fmean(known) if known else None
