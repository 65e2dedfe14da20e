"""Writes the published figures into the pages that quote them: ``python -m benchmarks.published [--write]``.

`benchmarks/results/` holds one file of each benchmark whose figures are quoted, as that benchmark wrote it; a newer run
takes its place. The tables of docs/figures.md are made of them. In README a row may quote a figure as
``(`key`) | value |``, with the value as it stands in those tables.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.gateway import report as gateway
from benchmarks.report import Target
from benchmarks.serving import report as serving
from benchmarks.training import targets as training

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE, README = ROOT / "docs" / "figures.md", ROOT / "README.md"
TARGETS: Mapping[str, Mapping[str, Target]] = {
    "serving": serving.TARGETS,
    "training": training.TARGETS,
    "gateway": gateway.TARGETS,
}
"""Of each benchmark that has published figures, what they must reach."""
_TABLE = re.compile(r"(?<=<!-- figures: )(\w+)( -->\n).*?(?=<!-- end -->)", re.DOTALL)
_QUOTED = re.compile(r"\(`(\w+)`\) \| ([^|]+?) \|")


class PublishedError(Exception):
    """Results that are missing or of another benchmark; the message says which."""


def published(benchmark: str, folder: Path = RESULTS) -> dict[str, Any]:
    """The result of ``benchmark`` whose figures are quoted. Raises PublishedError unless there is exactly one."""
    files = sorted(folder.glob(f"{benchmark}-cpu-*.json"))
    if len(files) != 1:
        raise PublishedError(f"{folder} has {len(files)} files {benchmark}-cpu-DATE.json, not one")
    result: dict[str, Any] = json.loads(files[0].read_text("utf-8"))
    if set(result["figures"]) != set(TARGETS[benchmark]):
        raise PublishedError(f"{files[0].name} has other figures than make bench-{benchmark} measures now")
    return result


def said(value: float | None) -> str:
    """A figure as it is quoted: three digits."""
    if value is None:
        return "not measured"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(result: Mapping[str, Any], targets: Mapping[str, Target]) -> str:
    """A row a figure, below which run it was."""
    machine, spread = result["machine"], result.get("spread", {})
    load = f"a load of {result['load_average']['before'][0]:.2g} before it" if "load_average" in result else None
    cpus = f"{machine['cpus']} cores of {machine['cpu']}"
    run = [f"{result['date'][:10]}", f"revision {result['revision'][:12]}", cpus, *([load] if load else [])]
    columns = ["figure", "found", *(["single rounds, people"] if spread else []), "asked", "", "what"]
    lines = [columns, ["---"] * len(columns)]
    for key, target in targets.items():
        ends = [_range(spread.get(key))] if spread else []
        met = {True: "met", False: "**missed**", None: ""}[result["met"][key]]
        lines.append([f"`{key}`", said(result["figures"][key]), *ends, str(target), met, target.means])
    return "\n".join([", ".join(run) + ".", "", *(f"| {' | '.join(line)} |" for line in lines)])


def with_tables(text: str, results: Mapping[str, Mapping[str, Any]]) -> str:
    """``text`` with each table that it has a place for made anew."""
    return _TABLE.sub(lambda found: f"{found[1]}{found[2]}{table(results[found[1]], TARGETS[found[1]])}\n", text)


def misquoted(text: str, results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Rows of ``text`` that quote a figure otherwise than it was measured, or one that nobody measured."""
    known = {key: said(value) for result in results.values() for key, value in result["figures"].items()}
    return [
        f"`{key}` is {known.get(key, 'no figure')} and not {value}"
        for key, value in _QUOTED.findall(text)
        if known.get(key) != value
    ]


def _range(spread: Sequence[float] | None) -> str:
    return "" if spread is None else f"{said(spread[0])} to {said(spread[1])}"


def main(arguments: Sequence[str]) -> int:
    """The exit status: 1 where a page says something else and is not written, 2 where a result is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"write the tables into {PAGE.name}")
    given = parser.parse_args(arguments)
    try:
        results = {name: published(name) for name in TARGETS}
    except PublishedError as error:
        print(f"published: {error}", file=sys.stderr)
        return 2
    text = PAGE.read_text("utf-8")
    wanted = with_tables(text, results)
    wrong = [f"README.md: {line}" for line in misquoted(README.read_text("utf-8"), results)]
    if given.write:
        PAGE.write_text(wanted, "utf-8")
    elif wanted != text:
        wrong.append(f"published: {PAGE.name} has other tables; --write writes these")
    for line in wrong:
        print(line, file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
