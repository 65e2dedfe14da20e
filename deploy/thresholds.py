"""Holds the alerts' limits to the figures that they come from: `python deploy/thresholds.py [--write] [--figure …]`.

`deploy/prometheus/thresholds.yaml` names of each alert the figure and the factor, or says that its limit is a choice. A
figure is a number of a benchmark's results, of a page that tells them, a default of the gateway's settings, or the time
that a probe allows. With --write the limits are written into rules.yaml; `--figure NAME=…` takes your own number, or
another results file that has the figure at the same place.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from services.gateway.settings import GatewaySettings

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "deploy" / "prometheus"
RULES = FOLDER / "rules.yaml"
# Of a query: a number, or a product of numbers, that something is compared with.
COMPARED = re.compile(r"(?<=[<>] )\d[\d.]*(?: \* \d[\d.]*)*")
_EXPRESSION = re.compile(r"(?<=\n        expr:).*?(?=\n        (?:for|labels):)", re.DOTALL)
_FOR = re.compile(r"(?<=\n        for: )\w+")
_TAKE: Mapping[str, Callable[[list[float]], float]] = {"deviation": statistics.pstdev}


class FigureError(Exception):
    """A figure that cannot be read where thresholds.yaml says; the message names both."""


@dataclasses.dataclass(frozen=True)
class Limit:
    """A limit of an alert, or how long (`is_for`) its query has to hold."""

    alert: str
    number: int
    """Of the comparison in the query, from 0."""
    figure: str
    factor: float
    is_for: bool = False


def table() -> dict[str, Any]:
    """thresholds.yaml."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / "thresholds.yaml").read_text())
    return found


def limits(told: Mapping[str, Any]) -> Iterator[Limit]:
    """All that come from a figure."""
    for alert, source in told["alerts"].items():
        for number, limit in enumerate(source.get("limits", ())):
            if "figure" in limit:
                yield Limit(alert, number, limit["figure"], limit["factor"])
        if "for" in source:
            yield Limit(alert, 0, source["for"]["figure"], source["for"]["factor"], is_for=True)


def figures(told: Mapping[str, Any], own: Mapping[str, str] | None = None) -> dict[str, float]:
    """Every figure, in the unit of its name; `own`: numbers or results files in their place. Raises FigureError."""
    own = own or {}
    if unknown := own.keys() - told["figures"].keys():
        raise FigureError(f"there is no figure {', '.join(sorted(unknown))}: {', '.join(told['figures'])}")
    return {name: _figure(name, source, own.get(name)) for name, source in told["figures"].items()}


def _figure(name: str, source: Mapping[str, Any], own: str | None) -> float:
    try:
        if own is not None and re.fullmatch(r"[\d.]+", own):
            return float(own)
        if own is not None and "key" not in source:
            raise FigureError(f"{name} is in no results file: give a number")
        return _read(source, Path(own) if own else None) * float(source.get("times", 1))
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise FigureError(f"{name} is not at {own or dict(source)}: {error!r}") from error


def _read(source: Mapping[str, Any], own: Path | None) -> float:
    if "setting" in source:
        fields = {field.name: field.default for field in dataclasses.fields(GatewaySettings)}
        return float(fields[source["setting"]])  # type: ignore[arg-type]
    if "probe" in source:
        return _probe(ROOT / source["probe"])
    file = own or ROOT / source["file"]
    values = [float(value) for value in _at(json.loads(file.read_text()), source["key"].split("."))]
    return _TAKE[source["take"]](values) if "take" in source else values[0]


def _at(document: Any, path: Sequence[str]) -> Iterator[Any]:
    """The values at a path, in which * is every key."""
    if not path:
        yield document
        return
    for key in document if path[0] == "*" else [path[0]]:
        yield from _at(document[key], path[1:])


def _probe(manifest: Path) -> float:
    """Seconds that the start-up probe of a Deployment allows."""
    (deployment,) = (each for each in yaml.safe_load_all(manifest.read_text()) if each["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return float(container["startupProbe"]["periodSeconds"] * container["startupProbe"]["failureThreshold"])


def written(value: float) -> str:
    """A limit as it stands in a rule: two digits."""
    rounded = float(f"{value:.2g}")
    return f"{rounded:.0f}" if rounded >= 10 or rounded.is_integer() else f"{rounded:g}"


def with_limits(rules: str, told: Mapping[str, Any], found: Mapping[str, float]) -> str:
    """The text of rules.yaml with every limit as its figure has it. Raises FigureError where a rule lacks one."""
    blocks = re.split(r"(?=^      - alert: )", rules, flags=re.MULTILINE)
    place = {match[1]: at for at, block in enumerate(blocks) if (match := re.match(r"      - alert: (\w+)", block))}
    for limit in limits(told):
        if limit.alert not in place:
            raise FigureError(f"rules.yaml has no alert {limit.alert}")
        at, text = place[limit.alert], written(found[limit.figure] * limit.factor)
        blocks[at] = _with(blocks[at], limit, text)
    return "".join(blocks)


def _with(block: str, limit: Limit, text: str) -> str:
    if limit.is_for:
        return _FOR.sub(_duration(float(text)), block, count=1)
    query = _EXPRESSION.search(block)
    compared = list(COMPARED.finditer(query[0])) if query else []
    if query is None or limit.number >= len(compared):
        raise FigureError(f"the query of {limit.alert} has no comparison {limit.number + 1}")
    begin, end = (query.start() + place for place in compared[limit.number].span())
    return block[:begin] + text + block[end:]


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f}m" if seconds % 60 == 0 else f"{seconds:.0f}s"


def main(arguments: Sequence[str]) -> int:
    """The exit status: 1 where rules.yaml has other limits and is not written, 2 where a figure cannot be read."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the limits into rules.yaml")
    parser.add_argument(
        "--figure", action="append", default=[], metavar="NAME=VALUE", help="a number, or a results file"
    )
    parser.add_argument("--rules", type=Path, default=RULES, help="default: deploy/prometheus/rules.yaml")
    given = parser.parse_args(arguments)
    told, rules = table(), given.rules.read_text()
    try:
        found = figures(told, dict(each.partition("=")[::2] for each in given.figure))
        wanted = with_limits(rules, told, found)
    except FigureError as error:
        print(f"thresholds: {error}", file=sys.stderr)
        return 2
    for limit in limits(told):
        value = written(found[limit.figure] * limit.factor)
        print(f"{limit.alert}: {value} = {limit.figure} {found[limit.figure]:g} x {limit.factor:g}")
    if wanted == rules:
        return 0
    if given.write:
        given.rules.write_text(wanted)
        return 0
    print("thresholds: rules.yaml has other limits; --write writes these", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
