"""Defines `headshots teams`, which orders portraits of several people in one look, and follows and joins teams."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headshots.cli.labels import ExternalId, Labels, OnlyExternalId, OnlyLabels, labelling
from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, PriorityName, TlsCa, Urgency
from headshots.console.exits import ExitCode, reported

if TYPE_CHECKING:
    from headshots.client import Headshots, Team

app = typer.Typer(help="Several people in one look: order, join, follow, list, show, cancel.", no_args_is_help=True)
TeamName = Annotated[str, typer.Argument(metavar="TEAM", help="As `teams list` shows it.")]
Members = Annotated[list[str], typer.Argument(metavar="SUBJECT...", help="Who is painted, as `subjects list` shows.")]
Train = Annotated[bool, typer.Option("--train", metavar="", help="Train those who have no adapter.")]
Detach = Annotated[bool, typer.Option("--detach", metavar="", help="Do not wait for the end.")]
QuoteOnly = Annotated[bool, typer.Option("--quote", metavar="", help="Check everything, tell how long; make nothing.")]
Out = Annotated[Path, typer.Option("--out", file_okay=False, help="Folder for the portraits; made if missing.")]
OUT = Path("team")


@app.command()
@reported
def shoot(
    look: Annotated[str, typer.Argument(metavar="LOOK", help="As `looks list` shows it.")],
    members: Members,
    train: Train = False,
    priority: PriorityName = Urgency.STANDARD,
    quote: QuoteOnly = False,
    detach: Detach = False,
    out: Out = OUT,
    label: Labels = None,
    external_id: ExternalId = "",
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Order portraits of several people in one look, wait, and save them. 7: some are missing, or fall out."""
    from headshots.cli.session import connect
    from headshots.client import Priority

    how: dict[str, Any] = {"train": train, "priority": Priority(priority.name), "validate_only": quote}
    with connect(address, api_key, tls_ca) as client:
        made = client.create_team(look, members, **how, labelling=labelling(label, external_id))
        if quote:
            _print_quote(made, members, as_json)
        else:
            _finish(client, made, as_json, wait=not detach, out=out)


@app.command()
@reported
def add(
    team: TeamName,
    members: Members,
    train: Train = False,
    quote: QuoteOnly = False,
    detach: Detach = False,
    out: Out = OUT,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Order the same look for people who join later, or failed before; wait, and save all portraits."""
    from headshots.cli.session import connect

    with connect(address, api_key, tls_ca) as client:
        joined = client.add_team_members(team, members, train=train, validate_only=quote)
        if quote:
            _print_quote(joined, members, as_json, joins=True)
        else:
            _finish(client, joined, as_json, wait=not detach, out=out)


@app.command()
@reported
def watch(
    team: TeamName,
    out: Out = OUT,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Follow a team to its end and save its portraits. May be repeated."""
    from headshots.cli.session import connect

    with connect(address, api_key, tls_ca) as client:
        _finish(client, client.get_team(team), as_json, wait=True, out=out)


@app.command("list")
@reported
def list_all(
    label: OnlyLabels = None,
    external_id: OnlyExternalId = "",
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """List teams, newest first."""
    from headshots.cli.session import connect
    from headshots.console.output import print_json, print_table

    with connect(address, api_key, tls_ca) as client:
        teams = list(client.list_teams(labelling=labelling(label, external_id)))
    if as_json:
        print_json(teams)
        return
    rows = [
        (each.name, each.state, each.look.removeprefix("looks/"), len(each.members), each.create_time) for each in teams
    ]
    print_table(("TEAM", "STATE", "LOOK", "MEMBERS", "CREATED"), rows)


@app.command()
@reported
def show(
    team: TeamName,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Show a team: its members, their portraits, how alike these are, and which fall out."""
    from headshots.cli.session import connect
    from headshots.console.teams.next_steps import print_next_steps
    from headshots.console.teams.showing import is_whole

    with connect(address, api_key, tls_ca) as client:
        shown = client.get_team(team)
        _print(shown, as_json, names=True)
        if shown.state.terminal and not (as_json or is_whole(shown)):
            print_next_steps(shown, client.get_look(shown.look, version=shown.look_version), None)


@app.command()
@reported
def cancel(
    team: TeamName,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Ask a team to stop, the shoots of its members with it."""
    from headshots.cli.session import connect
    from headshots.console.output import print_fields, print_json

    with connect(address, api_key, tls_ca) as client:
        asked = client.cancel_team(team)
    if as_json:
        print_json(asked)
    else:
        print_fields({"team": asked.name, "state": asked.state if asked.state.terminal else "cancelling"})


def _finish(client: Headshots, made: Team, as_json: bool, *, wait: bool, out: Path) -> None:
    """Wait for the end where that is asked for, save the portraits, and tell of the team.

    Raises:
        typer.Exit: NOT_GUARANTEED, a portrait is missing or falls out.
        JobFailedError, CancelledByCallerError: it did not succeed.
        UnavailableError, KeyboardInterrupt: with how to go on.
    """
    from headshots.console.output import counted, say
    from headshots.console.teams.next_steps import print_next_steps
    from headshots.console.teams.showing import follow_team, is_whole, save_portraits

    if not wait:
        _print(made, as_json)
        return
    ended = follow_team(client, made, go_on="" if out == OUT else f"--out {out}")
    files = save_portraits(client, ended, out)
    _print(ended, as_json)
    if not as_json:
        say(f"\n{counted(len(files), 'portrait')} in {out}")
    if not is_whole(ended):
        if not as_json:
            print_next_steps(ended, client.get_look(ended.look, version=ended.look_version), out)
        raise typer.Exit(ExitCode.NOT_GUARANTEED)


def _print_quote(team: Team, members: list[str], as_json: bool, *, joins: bool = False) -> None:
    from headshots.console.output import print_json
    from headshots.console.teams.quoting import print_team_quote

    if as_json:
        print_json(team)
    else:
        print_team_quote(team, members, joins=joins)


def _print(team: Team, as_json: bool, *, names: bool = False) -> None:
    from headshots.console.output import print_json
    from headshots.console.teams.showing import print_team

    if as_json:
        print_json(team)
    else:
        print_team(team, names=names)
