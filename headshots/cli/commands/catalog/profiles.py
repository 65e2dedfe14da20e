"""Defines `headshots profiles`, which lists, shows, makes and changes acceptance profiles."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated

import typer

from headshots.cli.commands.catalog.changing import check_changes
from headshots.cli.labels import ExternalId, Labels, OnlyExternalId, OnlyLabels, labelling
from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, TlsCa, Version
from headshots.console.exits import reported

if TYPE_CHECKING:
    from headshots.client import AcceptanceLimits, Profile

app = typer.Typer(help="What portraits must reach to be accepted: list, show, make your own.", no_args_is_help=True)
ProfileName = Annotated[str, typer.Argument(metavar="PROFILE", help="As `profiles list` shows it.")]
Limit = Annotated[
    list[str] | None,
    typer.Option(
        "--limit",
        metavar="NAME=NUMBER",
        help="A limit of `profiles show profile-worthy`, as min_sharpness=0.7; may be repeated.",
    ),
]
DisplayName = Annotated[str | None, typer.Option("--name", help="For people; at most 256 characters.")]
Description = Annotated[str | None, typer.Option(help="One sentence.")]


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
    """List profiles by name."""
    from headshots.cli.session import connect
    from headshots.console.output import print_json, print_table

    with connect(address, api_key, tls_ca) as client:
        profiles = list(client.list_profiles(labelling=labelling(label, external_id)))
    if as_json:
        print_json(profiles)
        return
    rows = [
        (_short(each), each.version, "everybody" if each.built_in else "you", each.display_name, each.description)
        for each in profiles
    ]
    print_table(("PROFILE", "VERSION", "OF", "NAME", "DESCRIPTION"), rows)


@app.command()
@reported
def show(
    profile: ProfileName,
    version: Version = 0,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Show a profile's limits."""
    from headshots.cli.session import connect

    with connect(address, api_key, tls_ca) as client:
        _print(client.get_profile(profile, version=version), as_json)


@app.command()
@reported
def create(
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help="Its name: 1 to 64 of a-z, 0-9 and -.")],
    limit: Limit = None,
    name: DisplayName = None,
    description: Description = None,
    label: Labels = None,
    external_id: ExternalId = "",
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Make a profile of your own, usable at once: what is not given is that of profile-worthy."""
    from headshots.cli.session import connect

    limits = _limits(limit)
    with connect(address, api_key, tls_ca) as client:
        made = client.create_profile(
            profile,
            limits,
            display_name=name or "",
            description=description or "",
            labelling=labelling(label, external_id),
        )
    _print(made, as_json)


@app.command()
@reported
def update(
    profile: ProfileName,
    limit: Limit = None,
    name: DisplayName = None,
    description: Description = None,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Make a new version of a profile of your own: what is given changes, the rest stays. Galleries keep theirs."""
    from headshots.cli.session import connect

    check_changes()
    with connect(address, api_key, tls_ca) as client:
        _print(client.update_profile(profile, _limits(limit), display_name=name, description=description), as_json)


def _limits(given: list[str] | None) -> AcceptanceLimits:
    """The limits of NAME=NUMBER words.

    Raises:
        typer.BadParameter: a word is no such thing.
    """
    from headshots.client import AcceptanceLimits

    known = [field.name for field in dataclasses.fields(AcceptanceLimits)]
    limits: dict[str, float] = {}
    for word in given or ():
        name, _, number = word.partition("=")
        if name not in known:
            raise typer.BadParameter(f"there is no limit {name}; there are {', '.join(known)}", param_hint="--limit")
        try:
            limits[name] = float(number)
        except ValueError as error:
            raise typer.BadParameter(f"{word} reads NAME=NUMBER, as {name}=0.5", param_hint="--limit") from error
    return AcceptanceLimits(**limits)


def _print(profile: Profile, as_json: bool) -> None:
    from headshots.console.output import print_fields, print_json

    if as_json:
        print_json(profile)
        return
    fields: dict[str, object] = {
        "profile": _short(profile),
        "name": profile.display_name,
        "version": profile.version,
        "of": "everybody" if profile.built_in else "you",
        "description": profile.description,
    }
    print_fields({**fields, **{name: f"{value:g}" for name, value in dataclasses.asdict(profile.limits).items()}})


def _short(profile: Profile) -> str:
    return profile.name.removeprefix("profiles/")
