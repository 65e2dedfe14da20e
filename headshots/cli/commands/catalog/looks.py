"""Defines `headshots looks`, which makes, changes, archives, lists and shows what a team's portraits have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from headshots.cli.commands.catalog import look_options as options
from headshots.cli.commands.catalog.changing import check_changes, say_checked
from headshots.cli.labels import ExternalId, Labels, OnlyExternalId, OnlyLabels, labelling
from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, TlsCa, Version
from headshots.console.exits import reported

if TYPE_CHECKING:
    from headshots.client import Look

app = typer.Typer(help="What the portraits of a team have in common: make, list and show looks.", no_args_is_help=True)


@app.command()
@reported
def create(
    look: Annotated[str, typer.Argument(metavar="LOOK", help="Its name: 1 to 64 of a-z, 0-9 and -.")],
    style: options.Styles,
    size: options.Size,
    eye_line: options.EyeLine = None,
    head_height: options.HeadHeight = None,
    portraits: options.Portraits = None,
    profile: options.Profile = None,
    seeds: options.SeedPolicyName = None,
    seed: options.Seed = None,
    max_tries: options.MaxTries = None,
    max_repaints: options.MaxRepaints = None,
    name: options.DisplayName = None,
    description: options.Description = None,
    validate_only: options.ValidateOnly = False,
    label: Labels = None,
    external_id: ExternalId = "",
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Make a look, usable at once."""
    from headshots.cli.session import connect

    wanted = options.frame(size, eye_line, head_height)
    how = options.look_options(portraits, profile, seeds, seed, max_tries, max_repaints)
    texts: dict[str, Any] = {"display_name": name or "", "description": description or ""}
    named = {**texts, "labelling": labelling(label, external_id), "validate_only": validate_only}
    with connect(address, api_key, tls_ca) as client:
        made = client.create_look(look, style, wanted, options=how, **named)
    if validate_only:
        say_checked(as_json=as_json, is_new=True)
    _print(made, as_json)


@app.command()
@reported
def update(
    look: options.LookName,
    style: options.NewStyles = None,
    size: options.NewSize = None,
    eye_line: options.EyeLine = None,
    head_height: options.HeadHeight = None,
    portraits: options.Portraits = None,
    profile: options.Profile = None,
    seeds: options.SeedPolicyName = None,
    seed: options.Seed = None,
    max_tries: options.MaxTries = None,
    max_repaints: options.MaxRepaints = None,
    name: options.DisplayName = None,
    description: options.Description = None,
    validate_only: options.ValidateOnly = False,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Make a new version of a look: what is given changes, the rest stays. Teams keep theirs."""
    from headshots.cli.session import connect

    check_changes()
    if size is None and (eye_line is not None or head_height is not None):
        raise typer.BadParameter("a frame changes as a whole; name --size too", param_hint="--size")
    wanted = options.frame(size, eye_line, head_height) if size is not None else None
    how = options.look_options(portraits, profile, seeds, seed, max_tries, max_repaints)
    texts = {"display_name": name, "description": description}
    with connect(address, api_key, tls_ca) as client:
        changed = client.update_look(
            look, styles=style or None, frame=wanted, options=how, **texts, validate_only=validate_only
        )
    if validate_only:
        say_checked(as_json=as_json, is_new=False)
    _print(changed, as_json)


@app.command()
@reported
def archive(
    look: options.LookName,
    yes: Annotated[bool, typer.Option("--yes", "-y", metavar="", help="Do not ask.")] = False,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Take a look out of use. There is no way back; teams that were made with it go on."""
    from headshots.cli.session import connect
    from headshots.console.output import confirm, note, print_json

    with connect(address, api_key, tls_ca) as client:
        if not yes:
            confirm(f"Archive {look}?")
        archived = client.archive_look(look)
    if as_json:
        print_json(archived)
    else:
        note(f"{archived.name} is archived: new teams refuse it")


@app.command("list")
@reported
def list_all(
    archived: Annotated[bool, typer.Option("--archived", metavar="", help="Archived ones too.")] = False,
    label: OnlyLabels = None,
    external_id: OnlyExternalId = "",
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """List looks by name."""
    from headshots.cli.session import connect
    from headshots.console.output import print_json, print_table

    with connect(address, api_key, tls_ca) as client:
        looks = list(client.list_looks(include_archived=archived, labelling=labelling(label, external_id)))
    if as_json:
        print_json(looks)
        return
    rows = [(_short(each), each.version, len(each.styles), each.portraits, _size(each), _name(each)) for each in looks]
    print_table(("LOOK", "VERSION", "STYLES", "PORTRAITS", "SIZE", "NAME"), rows)


@app.command()
@reported
def show(
    look: options.LookName,
    version: Version = 0,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Show a look: its frame, its styles, and what judges its portraits."""
    from headshots.cli.session import connect

    with connect(address, api_key, tls_ca) as client:
        _print(client.get_look(look, version=version), as_json)


def _print(look: Look, as_json: bool) -> None:
    from headshots.console.output import print_fields, print_json

    if as_json:
        print_json(look)
        return
    fields: dict[str, object] = {
        "look": _short(look),
        "name": _name(look),
        "version": look.version,
        "description": look.description,
        "size": _size(look),
        "eye line": look.frame.eye_line,
        "head height": look.frame.head_height,
        "styles": ", ".join(style.removeprefix("styles/") for style in look.styles),
        "portraits": look.portraits,
        "profile": look.profile.removeprefix("profiles/"),
        "seeds": f"{look.seed_policy.lower()}, from {look.seed}",
        "tries": look.max_tries,
        "repaints": look.max_repaints,
    }
    print_fields(fields)


def _short(look: Look) -> str:
    return look.name.removeprefix("looks/")


def _size(look: Look) -> str:
    return f"{look.frame.width_px}x{look.frame.height_px}"


def _name(look: Look) -> str:
    return f"{look.display_name}, archived" if look.archived else look.display_name
