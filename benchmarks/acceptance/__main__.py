"""Prints what the built-in acceptance profiles accept and refuse: ``python -m benchmarks.acceptance``.

True portraits of people who never existed, drawn and painted by their adapters in every built-in style; those of
look-alikes; and portraits spoilt in known ways. The limits of `headshots.acceptance.profiles` were chosen with it. A
person takes two trainings, some three minutes of CPU time; what lies in the folder is not made again. ``--drawn``
trains nobody. ``--analyzer`` judges with another folder's bundled analyzer: so limits are found that follow a new one.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from benchmarks.acceptance.figures import report, sitting
from benchmarks.acceptance.making import Studio
from headshots.acceptance import BUILT_IN
from headshots.faces import open_analyzer
from headshots.settings import default_analyzer


def main() -> None:
    """Parse, measure, write, show."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.acceptance", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--out", type=Path, default=Path("out/bench"))
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--drawn", action="store_true", help="drawn portraits only, nobody is trained")
    parser.add_argument("--analyzer", type=Path, default=default_analyzer(), help="folder of the analyzer that judges")
    given = parser.parse_args()
    torch.set_num_threads(1)
    console, analyzer = Console(), open_analyzer("bundled", given.analyzer)
    assert analyzer is not None
    console.print(f"judged by {analyzer.name}, one person from {analyzer.same_person_from:.4f}", highlight=False)
    studio = Studio(given.out / "acceptance", lambda line: console.print(line, highlight=False))
    sittings = [sitting(studio, analyzer, number, not given.drawn) for number in range(given.people)]
    told = {name: report(sittings, analyzer, profile) for name, profile in BUILT_IN.items()}
    for name, figures in told.items():
        console.print(f"[bold]{name}[/bold] v{figures['profile']['version']}, {figures['people']} people")
        for line in _lines(figures):
            console.print(f"  {line}", highlight=False)
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / "acceptance.json"
    path.write_text(json.dumps(told, indent=2) + "\n")
    console.print(f"written to {path}", highlight=False)


def _lines(figures: dict[str, Any]) -> list[str]:
    lines = []
    for kind in ("true", "look_alikes"):
        for how, told in figures[kind].items():
            refused = ", ".join(f"{reason} {count}" for reason, count in told["refused_for"].items())
            lines.append(
                f"{how} {kind}: {told['accepted']:.3f} of {told['portraits']} accepted; {refused or 'none refused'}"
            )
            lines.append(f"    of each person {told['accepted_of_each_person']}")
            lines += [f"    {reason}: {values}" for reason, values in told["measured"].items()]
    for how, ways in figures["spoilt"].items():
        for way, told in ways.items():
            refused = f"{told['refused']:.2f} of {told['portraits']} refused"
            lines.append(f"{how}, {way}: {refused}, {told['by_its_check']:.2f} by its check")
    for how, told in figures["near_duplicates"].items():
        lines.append(
            f"{how}, two seeds of one style: {told['taken_for_duplicates']:.3f} of {told['pairs']} taken for one"
        )
    for how, of_people in figures["first_ten"].items():
        lines.append(
            f"{how}, first ten: {[(one['styles'], round(one['gain'], 4)) for one in of_people]} (styles, gain)"
        )
    return lines


if __name__ == "__main__":
    main()
