"""Builds the command tree. Commands import what they need when they run."""

from __future__ import annotations

from typing import Annotated

import typer

from headshots.cli.commands import (
    demo,
    doctor,
    galleries,
    keys,
    photos,
    serve,
    shoots,
    subjects,
    teams,
    tenants,
    trainings,
)
from headshots.cli.commands.capacity import simulate
from headshots.cli.commands.catalog import foundations, looks, packs, profiles, styles
from headshots.cli.commands.models import analyzers, export, foundation
from headshots.cli.commands.people import audit, consents, erasure, policy, retention
from headshots.cli.commands.pictures import images, links, remix, verify
from headshots.console.exits import HELP
from headshots.console.terminal.helping import described

app = typer.Typer(
    name="headshots",
    help="Selfies in, a personal LoRA, a gallery of studio portraits out.",
    epilog=HELP,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
)
app.command("demo")(demo.demo)
app.add_typer(serve.app, name="serve")
app.command("doctor")(doctor.doctor)
app.add_typer(keys.app, name="keys")
app.add_typer(tenants.app, name="tenants")
app.add_typer(policy.app, name="tenant")
subjects.app.command("consent")(consents.consent)
subjects.app.command("withdraw")(consents.withdraw)
subjects.app.command("extend")(retention.extend)
subjects.app.command("hold")(retention.hold)
subjects.app.command("release")(retention.release)
app.add_typer(subjects.app, name="subjects")
app.add_typer(photos.app, name="photos")
app.command("shoot")(shoots.shoot)
app.add_typer(shoots.app, name="shoots")
app.command("train")(trainings.train)
app.add_typer(trainings.app, name="trainings")
app.command("generate")(galleries.generate)
app.command("remix")(remix.remix)
app.add_typer(galleries.app, name="galleries")
images.app.command("links")(links.links)
images.app.command("delete")(galleries.delete)
app.add_typer(images.app, name="images")
app.add_typer(styles.app, name="styles")
app.add_typer(packs.app, name="packs")
app.add_typer(profiles.app, name="profiles")
app.add_typer(looks.app, name="looks")
app.add_typer(teams.app, name="teams")
app.add_typer(foundations.app, name="foundations")
app.add_typer(audit.app, name="audit")
app.add_typer(erasure.app, name="erasure")
app.add_typer(analyzers.app, name="analyzers")
app.add_typer(foundation.app, name="foundation")
app.command("export")(export.export)
app.command("verify")(verify.verify)
app.add_typer(simulate.app, name="simulate")


def _print_version(wanted: bool) -> None:
    if wanted:
        import headshots

        typer.echo(headshots.__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", metavar="", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="The same as after the command.")] = False,
) -> None:
    """Options before any command."""


described(app)
