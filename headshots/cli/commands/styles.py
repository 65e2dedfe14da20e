"""Defines `headshots styles`, which shows the style library."""

from __future__ import annotations

from typing import Annotated

import typer

from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, TlsCa
from headshots.console.exits import reported

app = typer.Typer(help="Prompt recipes: outfit, backdrop, light and framing.", no_args_is_help=True)


@app.command("list")
@reported
def list_all(
    address: Address = DEFAULT_ADDRESS, api_key: ApiKey = None, tls_ca: TlsCa = None, as_json: Json = False
) -> None:
    """List styles by name."""
    from headshots.cli.session import connect
    from headshots.console.output import print_json, print_table

    with connect(address, api_key, tls_ca) as client:
        styles = list(client.list_styles())
    if as_json:
        print_json(styles)
        return
    print_table(
        ("STYLE", "NAME", "DESCRIPTION"),
        [(each.name.removeprefix("styles/"), each.display_name, each.description) for each in styles],
    )


@app.command()
@reported
def show(
    style: Annotated[str, typer.Argument(metavar="STYLE", help="As `styles list` shows it.")],
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Show a style's recipe."""
    from headshots.cli.session import connect
    from headshots.console.output import print_fields, print_json

    with connect(address, api_key, tls_ca) as client:
        found = client.get_style(style)
    if as_json:
        print_json(found)
        return
    fields: dict[str, object] = {
        "style": found.name.removeprefix("styles/"),
        "name": found.display_name,
        "version": found.version,
        "description": found.description,
        "outfit": found.outfit,
        "backdrop": found.backdrop,
        "lighting": found.lighting,
        "framing": found.framing,
    }
    print_fields(fields)
