"""Defines `headshots packs`, which makes, changes, archives, lists and shows the styles that are ordered together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headshots.cli.commands.catalog.changing import check_changes, say_checked
from headshots.cli.labels import ExternalId, Labels, OnlyExternalId, OnlyLabels, labelling
from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, TlsCa, Version
from headshots.console.exits import reported

if TYPE_CHECKING:
    from headshots.client import Pack, Style

app = typer.Typer(help="Styles that are ordered together: make your own, list and show them.", no_args_is_help=True)

PackName = Annotated[str, typer.Argument(metavar="PACK", help="As `packs list` shows it.")]
_SHOTS = frozenset(map(str, range(1, 65)))
_STYLES_HELP = "Shots of a style, 1 to 64, as studio-navy-suit=8; may be repeated, in the order to order them."
Styles = Annotated[list[str], typer.Option("--style", metavar="STYLE=SHOTS", help=_STYLES_HELP)]
NewStyles = Annotated[
    list[str] | None,
    typer.Option("--style", metavar="STYLE=SHOTS", help=f"{_STYLES_HELP} In place of all that it has."),
]
DisplayName = Annotated[str | None, typer.Option("--name", help="For people; at most 256 characters.")]
Description = Annotated[str | None, typer.Option(help="One sentence.")]
ValidateOnly = Annotated[bool, typer.Option("--validate-only", metavar="", help="Check everything, keep nothing.")]


@app.command()
@reported
def create(
    pack: Annotated[str, typer.Argument(metavar="PACK", help="Its name: 1 to 64 of a-z, 0-9 and -.")],
    style: Styles,
    name: DisplayName = None,
    description: Description = None,
    validate_only: ValidateOnly = False,
    label: Labels = None,
    external_id: ExternalId = "",
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Make a pack of your own, usable at once."""
    from headshots.cli.session import connect

    styles, texts = _shots_of(style), {"display_name": name or "", "description": description or ""}
    with connect(address, api_key, tls_ca) as client:
        made = client.create_pack(
            pack, styles, **texts, labelling=labelling(label, external_id), validate_only=validate_only
        )
    if validate_only:
        say_checked(as_json=as_json, is_new=True)
    _print(made, as_json)


@app.command()
@reported
def update(
    pack: PackName,
    style: NewStyles = None,
    name: DisplayName = None,
    description: Description = None,
    validate_only: ValidateOnly = False,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Make a new version of a pack of your own: what is given changes, the rest stays. Shoots keep theirs."""
    from headshots.cli.session import connect

    check_changes()
    styles = _shots_of(style) if style else None
    texts = {"display_name": name, "description": description}
    with connect(address, api_key, tls_ca) as client:
        changed = client.update_pack(pack, styles=styles, **texts, validate_only=validate_only)
    if validate_only:
        say_checked(as_json=as_json, is_new=False)
    _print(changed, as_json)


@app.command()
@reported
def archive(
    pack: PackName,
    yes: Annotated[bool, typer.Option("--yes", "-y", metavar="", help="Do not ask.")] = False,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Take a pack of your own out of use. There is no way back; shoots that were made with it go on."""
    from headshots.cli.session import connect
    from headshots.console.output import confirm, note, print_json

    with connect(address, api_key, tls_ca) as client:
        if not yes:
            confirm(f"Archive {pack}?")
        archived = client.archive_pack(pack)
    if as_json:
        print_json(archived)
    else:
        note(f"{archived.name} is archived: new shoots refuse it")


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
    """List packs by name."""
    from headshots.cli.session import connect
    from headshots.console.output import print_json, print_table

    with connect(address, api_key, tls_ca) as client:
        packs = list(client.list_packs(include_archived=archived, labelling=labelling(label, external_id)))
    if as_json:
        print_json(packs)
        return
    told = [(each, (len(each.styles), each.total_shots, each.display_name, each.description)) for each in packs]
    print_table(
        ("PACK", "VERSION", "OF", "STYLES", "SHOTS", "NAME", "DESCRIPTION"),
        [(_short(each), each.version, _owner(each), *rest) for each, rest in told],
    )


@app.command()
@reported
def show(
    pack: PackName,
    version: Version = 0,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Show a pack's styles, and how many portraits it has of each."""
    from headshots.cli.session import connect

    with connect(address, api_key, tls_ca) as client:
        _print(client.get_pack(pack, version=version), as_json)


def _shots_of(given: list[str]) -> dict[Style | str, int]:
    """The shots of each style, of STYLE=SHOTS words.

    Raises:
        typer.BadParameter: a word is no such thing, or a style comes twice.
    """
    shots: dict[Style | str, int] = {}
    for word in given:
        style, _, number = word.partition("=")
        if not style or number not in _SHOTS:
            message = f"{word!r} is no STYLE=SHOTS with 1 to 64 shots, as studio-navy-suit=8"
            raise typer.BadParameter(message, param_hint="--style")
        if style in shots:
            raise typer.BadParameter(f"{style} is given twice", param_hint="--style")
        shots[style] = int(number)
    return shots


def _print(pack: Pack, as_json: bool) -> None:
    from headshots.console.output import print_fields, print_json, print_table

    if as_json:
        print_json(pack)
        return
    fields: dict[str, object] = {
        "pack": _short(pack),
        "name": pack.display_name,
        "version": pack.version,
        "of": _owner(pack),
        "description": pack.description,
        "shots": pack.total_shots,
    }
    print_fields(fields)
    typer.echo()
    print_table(("STYLE", "SHOTS"), [(each.style.removeprefix("styles/"), each.shots) for each in pack.styles])


def _short(pack: Pack) -> str:
    return pack.name.removeprefix("packs/")


def _owner(pack: Pack) -> str:
    if pack.built_in:
        return "everybody"
    return "you, archived" if pack.archived else "you"
