"""Defines `headshots packs`, which lists and shows the styles that are ordered together."""

from __future__ import annotations

from typing import Annotated

import typer

from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, TlsCa
from headshots.console.exits import reported

app = typer.Typer(help="Styles that are ordered together: list and show them.", no_args_is_help=True)


@app.command("list")
@reported
def list_all(
    address: Address = DEFAULT_ADDRESS, api_key: ApiKey = None, tls_ca: TlsCa = None, as_json: Json = False
) -> None:
    """List packs by name."""
    from headshots.cli.session import connect
    from headshots.console.output import print_json, print_table

    with connect(address, api_key, tls_ca) as client:
        packs = list(client.list_packs())
    if as_json:
        print_json(packs)
        return
    rows = [
        (each.name.removeprefix("packs/"), len(each.styles), each.total_shots, each.display_name, each.description)
        for each in packs
    ]
    print_table(("PACK", "STYLES", "SHOTS", "NAME", "DESCRIPTION"), rows)


@app.command()
@reported
def show(
    pack: Annotated[str, typer.Argument(metavar="PACK", help="As `packs list` shows it.")],
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Show a pack's styles, and how many portraits it has of each."""
    from headshots.cli.session import connect
    from headshots.console.output import print_fields, print_json, print_table

    with connect(address, api_key, tls_ca) as client:
        found = client.get_pack(pack)
    if as_json:
        print_json(found)
        return
    shots = {"shots": found.total_shots}
    print_fields({"pack": found.name, "name": found.display_name, "description": found.description, **shots})
    typer.echo()
    print_table(("STYLE", "SHOTS"), [(each.style.removeprefix("styles/"), each.shots) for each in found.styles])
