"""Defines `headshots simulate`, which replays a day of orders against policies, and records such a day."""

from __future__ import annotations

import dataclasses
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headshots.cli.extras import require
from headshots.cli.options import DatabaseUrl, Json
from headshots.cli.shoot_options import past
from headshots.console.exits import reported

if TYPE_CHECKING:
    from headshots.simulation.outcomes import Outcome
    from headshots.simulation.policies import Policy
    from headshots.simulation.service_times import ServiceTimes
    from headshots.simulation.traces import Order

app = typer.Typer(invoke_without_command=True)


def _file(value: str) -> Path:
    return Path(value).expanduser()


_Trace = Annotated[
    Path | None,
    typer.Option(parser=_file, metavar="FILE", help="Orders to replay, CSV or .jsonl."),
]
_PerDay = Annotated[float, typer.Option(help="Without --trace: orders drawn at random, so many a day.")]
_Hours = Annotated[float, typer.Option(help="Without --trace: for so long.")]
_Shape = Annotated[
    str, typer.Option(metavar="NAME", help="Without --trace: flat, day, or rates as 1,3,2 in equal parts of a day.")
]
_Images = Annotated[int, typer.Option(help="Without --trace: of an order.")]
_Returning = Annotated[float, typer.Option(help="Without --trace: share of orders by people who are trained already.")]
_SaveTrace = Annotated[
    Path | None, typer.Option(parser=_file, metavar="FILE", help="Write the orders that were drawn.")
]
_Policy = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=KEY:VALUE,…",
        help="A policy, as lean=min:0,max:4; repeat. Default: as the manifests.",
    ),
]
_Policies = Annotated[
    Path | None, typer.Option(parser=_file, metavar="FILE", help="Policies as YAML: names, each with its keys.")
]
_Times = Annotated[
    list[str] | None,
    typer.Option(metavar="FILE", help="What `make bench-serving` or the benchmark of trainings wrote; repeat."),
]
_ImageSeconds = Annotated[
    str | None,
    typer.Option(metavar="N:SECONDS,…", help="Of an image while N are painted at once, as 1:0.4,8:1.7."),
]
_TrainingSeconds = Annotated[float, typer.Option(help="Of a training; 0: as --times says, or none.")]
_OverheadSeconds = Annotated[float, typer.Option(help="Of an image outside the batch.")]
_Spread = Annotated[float, typer.Option(help="Share by which work differs, up and down.")]
_Seed = Annotated[int, typer.Option(help="Of all that is random.")]


@app.callback()
@reported
def simulate(
    context: typer.Context,
    trace: _Trace = None,
    per_day: _PerDay = 1000.0,
    hours: _Hours = 24.0,
    shape: _Shape = "day",
    images: _Images = 20,
    returning: _Returning = 0.2,
    save_trace: _SaveTrace = None,
    policy: _Policy = None,
    policies: _Policies = None,
    times: _Times = None,
    image_seconds: _ImageSeconds = None,
    training_seconds: _TrainingSeconds = 0.0,
    overhead_seconds: _OverheadSeconds = 0.0,
    spread: _Spread = 0.2,
    seed: _Seed = 0,
    as_json: Json = False,
) -> None:
    """Replay a day of orders against policies: cost, waiting times, hit rates. Needs no platform."""
    if context.invoked_subcommand is not None:
        return
    require("simulate", "gateway")
    if trace is not None:
        _refuse_drawing(context)
    from headshots.simulation.engine import Simulation
    from headshots.simulation.service_times import ServiceTimes, parse_image_seconds, read_times
    from headshots.simulation.traces import write_trace

    known = parse_image_seconds(image_seconds) if image_seconds is not None else {}
    told = ServiceTimes(known, training_seconds, overhead_seconds, spread=spread)
    found_times = read_times([_file(each) for each in times or ()], told)
    tried = _policies(policy or [], policies)
    orders = _orders(trace, per_day, hours, shape, images, returning, seed)
    if save_trace is not None:
        write_trace(save_trace, orders)
    outcomes = {name: Simulation(one, found_times, seed=seed).run(orders) for name, one in tried.items()}
    _show(outcomes, tried, found_times, orders, as_json=as_json)


@app.command("record")
@reported
def record(
    file: Annotated[Path, typer.Argument(parser=_file, metavar="FILE", help="To be written: CSV, or .jsonl.")],
    database: DatabaseUrl = None,
    since: Annotated[
        datetime | None,
        typer.Option(metavar="WHEN", parser=past, help="Only orders since then: 1d ago, an ISO time."),
    ] = None,
    until: Annotated[datetime | None, typer.Option(metavar="WHEN", parser=past, help="Only orders before.")] = None,
    as_json: Json = False,
) -> None:
    """Record what was ordered of a platform, from its database: times and numbers, no names."""
    require("simulate record", "gateway")
    from headshots.cli.folders import refuse_missing
    from headshots.console.output import print_json, say
    from headshots.database import open_database
    from headshots.settings import Home
    from headshots.simulation.recording import record as recorded
    from headshots.simulation.traces import write_trace

    url = database or Home.from_environment(os.environ).database_url
    refuse_missing(url, "HEADSHOTS_DATABASE_URL", to_be_read=True)
    engine = open_database(url)
    given = {name: when.timestamp() for name, when in (("since", since), ("until", until)) if when is not None}
    orders = recorded(engine, **given)
    engine.dispose()
    write_trace(file, orders)
    summary = {"file": str(file), "orders": len(orders), "hours": round(orders[-1].at_seconds / 3600, 2)}
    if as_json:
        print_json(summary)
    else:
        say(f"{file}: {len(orders)} orders of {summary['hours']:g} hours; replay them with --trace {file}")


def _refuse_drawing(context: typer.Context) -> None:
    """Raises typer.BadParameter where an option of drawn orders stands beside --trace, which would leave it out."""
    given = [
        f"--{name.replace('_', '-')}"
        for name in ("per_day", "hours", "shape", "images", "returning")
        if (source := context.get_parameter_source(name)) is not None and source.name != "DEFAULT"
    ]
    if given:
        raise typer.BadParameter(f"with --trace no orders are drawn; leave out {', '.join(given)}")


def _orders(
    trace: Path | None, per_day: float, hours: float, shape: str, images: int, returning: float, seed: int
) -> list[Order]:
    from headshots.simulation.arrivals import SHAPES, Arrivals, draw
    from headshots.simulation.traces import read_trace

    if trace is not None:
        return read_trace(trace)
    try:
        parts = SHAPES[shape] if shape in SHAPES else tuple(map(float, shape.split(",")))
    except ValueError as error:
        known = ", ".join(SHAPES)
        raise typer.BadParameter(f"--shape {shape!r} is neither {known} nor numbers, as 1,3,2") from error
    return draw(Arrivals(per_day, hours, parts, images, returning), seed)


def _policies(texts: list[str], file: Path | None) -> dict[str, Policy]:
    from headshots.errors import InvalidArgumentError
    from headshots.simulation.policies import Policy, parse_text, read_policies

    found = read_policies(file) if file is not None else {}
    for text in texts:
        name, one = parse_text(text)
        if name in found:
            raise InvalidArgumentError("POLICY_INVALID", f"there are two policies {name}; rename one of them")
        found[name] = one
    return found or {"default": Policy()}


def _show(
    outcomes: dict[str, Outcome], tried: dict[str, Policy], times: ServiceTimes, orders: list[Order], *, as_json: bool
) -> None:
    from headshots.console.output import print_json, print_table, say
    from headshots.console.simulations import rows, title

    if as_json:
        found = {}
        for name, outcome in outcomes.items():
            told = dataclasses.asdict(outcome)
            del told["served"]
            found[name] = {"policy": dataclasses.asdict(tried[name]), **told}
        print_json({"orders": len(orders), "times": dataclasses.asdict(times), "policies": found})
        return
    say(title(orders, times))
    # As many beside each other as 80 columns hold.
    names = list(outcomes)
    for first in range(0, len(names), 4):
        some = {name: outcomes[name] for name in names[first : first + 4]}
        say("")
        print_table(("", *some), rows(list(some.values())))
