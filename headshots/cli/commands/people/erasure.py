"""Defines `headshots erasure`, which sees to it that who was erased stays so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Annotated

import typer

from headshots.cli.extras import require
from headshots.cli.folders import refuse_missing
from headshots.cli.options import DatabaseUrl, Json
from headshots.console.exits import ExitCode, reported

app = typer.Typer(help="Erased people: have none come back from a backup.", no_args_is_help=True)

_MODULE = "services.gateway.replay"


@app.command()
@reported
def replay(
    database: DatabaseUrl = None,
    store: Annotated[
        str | None,
        typer.Option(envvar="HEADSHOTS_STORE_URL", help="The object store. Default: a folder in HEADSHOTS_HOME."),
    ] = None,
    log: Annotated[
        str | None,
        typer.Option(
            envvar="HEADSHOTS_GATEWAY_ERASURE_LOG_URL", help="The store of the log of erasures. Default: the objects'."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Erase again all whom the log of erasures tells of and a restored backup has brought back.

    Run it after a restore of the database, of the object store or of both, beside gateways that run or not. It reads
    the whole log and erases held and busy people, too; what it has done already it does not do again. Exit code 1
    where somebody could not be erased.
    """
    require("erasure replay", "gateway")
    given = {"DATABASE_URL": database, "STORE_URL": store, "ERASURE_LOG_URL": log}
    for url in filter(None, given.values()):
        refuse_missing(url)
    # Erasing is the gateway's: its code, its settings.
    settings = {f"HEADSHOTS_GATEWAY_{field}": url for field, url in given.items() if url}
    command = [sys.executable, "-m", _MODULE]
    done = subprocess.run(command, env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise typer.Exit(ExitCode.FAILED)
    if as_json:
        typer.echo(done.stdout, nl=False)
    else:
        _print(**json.loads(done.stdout))


def _print(subjects: int, folders: int, objects: int) -> None:
    from headshots.console.output import counted

    if not subjects and not folders:
        typer.echo("nobody had come back")
        return
    typer.echo(
        f"erased {counted(subjects, 'subject')} of the database and what the object store alone had of "
        f"{counted(folders, 'subject')}: {counted(objects, 'object')}"
    )
