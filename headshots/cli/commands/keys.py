"""Defines `headshots keys`, which makes API keys in the gateway's database, where only a digest is kept."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Annotated

import typer

from headshots.cli.database import open_gateway_database
from headshots.cli.extras import require
from headshots.cli.options import DatabaseUrl, Json
from headshots.console.exits import reported

app = typer.Typer(help="API keys. They are made in the database, so run this where it can be reached.")


@app.command()
@reported
def create(
    tenant: Annotated[str, typer.Option(help="Whose key: a-z, 0-9 and -; made where it is new.")] = "default",
    label: Annotated[str, typer.Option(help="What the key is for; for people.")] = "",
    save: Annotated[
        bool,
        typer.Option(
            "--save", help="Also leave it in the file api-key of HEADSHOTS_HOME, where `headshots` looks for its key."
        ),
    ] = False,
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Make a key and print it. It cannot be shown again."""
    require("keys create", "database")
    from headshots.console.output import note, print_json
    from headshots.keys import create_key, id_of_key, write_key_file
    from headshots.settings import Home

    key = create_key(open_gateway_database(database), tenant, label=label)
    if save:
        write_key_file(Home.from_environment(os.environ).api_key_file, key)
    if as_json:
        print_json({"id": id_of_key(key), "tenant": tenant, "label": label, "key": key})
        return
    typer.echo(key)
    if save:
        note(f"It is also in {Home.from_environment(os.environ).api_key_file}, readable by you only.")
    else:
        note("Keep it: only a digest is stored, and it cannot be shown again.")


@app.command("list")
@reported
def list_all(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's keys.")] = None,
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """List keys, oldest first, revoked ones included."""
    require("keys list", "database")
    from headshots.console.output import print_json, print_table
    from headshots.keys import list_keys

    keys = list_keys(open_gateway_database(database), tenant)
    if as_json:
        print_json(
            [
                {
                    "id": key.id,
                    "tenant": key.tenant_id,
                    "label": key.label,
                    "create_time": _time(key.created_at),
                    "revoke_time": _time(key.revoked_at),
                }
                for key in keys
            ]
        )
        return
    rows = [(key.id, key.tenant_id, key.label, _time(key.created_at), _time(key.revoked_at)) for key in keys]
    print_table(("ID", "TENANT", "LABEL", "CREATED", "REVOKED"), rows)


@app.command()
@reported
def revoke(
    key: Annotated[str, typer.Argument(metavar="ID", help="As `keys list` shows it, or the whole key, hs_ID_….")],
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Refuse a key from now on."""
    require("keys revoke", "database")
    from headshots.console.output import note, print_json
    from headshots.keys import id_of_key, revoke_key

    # Of a whole key no more than its id is said again.
    revoked = id_of_key(key)
    revoke_key(open_gateway_database(database), revoked)
    if as_json:
        print_json({"revoked": revoked})
    else:
        note(f"{revoked} is refused from now on")


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
