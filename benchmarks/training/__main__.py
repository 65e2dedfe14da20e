"""Measures how good trainings are and how long they take: ``python -m benchmarks.training`` (``make bench-training``).

People whom no net has seen are taught, painted and judged by other nets than those that select checkpoints; the bare
foundation is the control, diffusers' DreamBooth recipe the peer, plain and tuned. Prints a table and writes
``out/bench/training.json``.
Finished pieces are kept in ``out/bench/training/journal.jsonl``: a run that was cut short goes on when started again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.faces.folds import FOLDS
from benchmarks.report import show, write
from benchmarks.training import face_figures, faces, figures, natural, stock, work
from benchmarks.training.figures import PEER
from benchmarks.training.judging import gallery
from benchmarks.training.peer import Tuning, tunings
from benchmarks.training.people import CASTS, PUBLISHED
from benchmarks.training.plan import Journal, Plan
from benchmarks.training.reference import reference
from benchmarks.training.sheets import write_sheets
from benchmarks.training.speed import steps_per_second
from benchmarks.training.targets import TARGETS
from headshots.diffusion.export.ensure import ensure_package
from headshots.processes.cpus import usable_cpus
from headshots.settings import default_foundation

QUICK: dict[str, Any] = {
    "people": 2,
    "peer_people": 1,
    "selfies": 6,
    "scenes": 2,
    "seeds": 1,
    "gallery": 4,
    "timed_people": 1,
    "timed_steps": 4,
    "reference": 16,
    "teaching": 4,
    "teaching_steps": 2,
    "timed_repeats": 1,
    "timed_rows": (),
}


def run(plan: Plan, say: Callable[[str], None]) -> dict[str, Any]:
    """Everything that is still to be done, and then the report."""
    journal = Journal(plan.folder / "journal.jsonl", plan.key)
    say("the engine package")
    ensure_package(plan.foundation, plan.out / "engines")
    say(f"true photos of {plan.gallery} people")
    gallery(plan.cast, plan.gallery, plan.gallery_file)
    if journal.get("strangers", 0) is None:
        journal.add("strangers", 0, faces.strangers(plan))
    say(f"true renders of {plan.reference} others")
    reference(plan)
    _timed_alone(plan, journal, say)
    with _pool(plan.jobs) as pool:
        _each(journal, "ours", plan.people, lambda person: pool.submit(work.ours, plan, person), say)
        _each(journal, "bare", plan.people, lambda person: pool.submit(work.bare, plan, person), say)
        seconds = {person: result["seconds"] for person, result in journal.all("ours").items()}
        count = min(plan.peer_people, plan.people)
        tuning = _tuning(plan, journal)
        _each(journal, PEER, count, lambda person: pool.submit(work.peer, plan, person, seconds[person], tuning), say)
        _each(journal, "faces", plan.people, lambda person: pool.submit(faces.measured, plan, person), say)
        known = journal.all("faces")
        _each(journal, "stock", plan.people, lambda of: pool.submit(stock.measured, plan, of, known[of]), say)
        _each(journal, "natural", FOLDS, lambda fold: pool.submit(natural.measured, plan, fold), say)
    for path in write_sheets(plan, face_figures.worst_first(journal)):
        say(f"sheet: {path}")
    return figures.result(plan, journal)


def _pool(jobs: int) -> Executor:
    """Processes are spawned: torch's threads do not survive a fork."""
    return ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"))


def _timed_alone(plan: Plan, journal: Journal, say: Callable[[str], None]) -> None:
    """What is timed has the machine to itself."""
    for person in range(plan.timed_people):
        if journal.get("timed", person) is None:
            load = os.getloadavg()[0]
            trained = work.train(plan, person, plan.cores)
            say(f"timed alone: person {person} in {trained.seconds:.1f} s ({trained.cpu_seconds:.0f} s of CPU)")
            result = {
                "seconds": trained.seconds,
                "cpu_seconds": trained.cpu_seconds,
                "cores": asdict(plan.cores),
                "load_average": load,
            }
            journal.add("timed", person, result)
    for rows in plan.all_timed_rows:
        if journal.get("speed", rows) is None:
            load = os.getloadavg()[0]
            speed = {**steps_per_second(plan, rows), "load_average": load}
            ratios = (
                f"{speed['ratio']['median']:.2f} of the peer's, {speed['ratio_tuned']['median']:.2f} of the tuned one's"
            )
            say(f"steps of {rows} rows a second: {ratios} ({speed['tuning']})")
            journal.add("speed", rows, speed)


def _tuning(plan: Plan, journal: Journal) -> Tuning:
    """The fastest with as many rows as are trained with."""
    speed = journal.get("speed", plan.rows)
    assert speed is not None
    return next(tuning for tuning in tunings() if tuning.name == speed["tuning"])


def _each(
    journal: Journal,
    kind: str,
    count: int,
    submit: Callable[[int], Future[dict[str, Any]]],
    say: Callable[[str], None],
) -> None:
    """The people (or folds of them) who are missing, several at once; each is kept as soon as it is done."""
    waiting = {submit(person): person for person in range(count) if journal.get(kind, person) is None}
    for future in as_completed(waiting):
        result = future.result()
        journal.add(kind, waiting[future], result)
        say(f"{kind}: {waiting[future]}: {_told(result)}")


def _told(result: Mapping[str, Any]) -> str:
    """The first numbers of a result, in a line."""
    numbers = {name: value for name, value in result.items() if isinstance(value, float)}
    return ", ".join(f"{name} {numbers[name]:.3f}" for name in list(numbers)[:6])


def main() -> int:
    """Parse, measure, write, show; 1 where a figure of a full run misses its target."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--foundation", type=Path, default=default_foundation())
    parser.add_argument("--out", type=Path, default=Path("out/bench"))
    parser.add_argument("--cast", choices=tuple(CASTS), default=PUBLISHED.name, help="tuning: to choose recipes by")
    parser.add_argument("--people", type=int, help="people trained (20)")
    parser.add_argument("--peer-people", type=int, help="of them trained by the peer too (5)")
    parser.add_argument("--faces", default="bundled", help="who selects checkpoints: bundled, opencv or none")
    parser.add_argument("--jobs", type=int, default=usable_cpus(), help="people at once, a thread each")
    parser.add_argument("--quick", action="store_true", help="two people, few pictures: to see that it runs")
    given = parser.parse_args()
    chosen = {name: value for name in ("people", "peer_people") if (value := getattr(given, name)) is not None}
    plan = Plan(
        foundation=given.foundation.absolute(),
        out=given.out,
        cast=CASTS[given.cast],
        faces=given.faces,
        jobs=given.jobs,
        threads=usable_cpus(),
        **{**(QUICK if given.quick else {}), **chosen},
    )
    console = Console()
    result = run(plan, lambda line: console.print(line, highlight=False))
    path = plan.out / "training.json"
    write(result, path)
    show(f"training {result['foundation']}, {result['people']} people never trained on", TARGETS, result)
    console.print(f"written to {path}", highlight=False)
    return int(not given.quick and False in result["met"].values())


if __name__ == "__main__":
    sys.exit(main())
