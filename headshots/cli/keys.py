"""`headshots keys`: API keys, made in the gateway's database, of which only a digest is kept."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from headshots.cli.exits import reported
from headshots.cli.options import DatabaseUrl, Json

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

app = typer.Typer(help="API keys. They are made in the database, so run this where it can be reached.")


@app.command()
@reported
def create(
    tenant: Annotated[str, typer.Option(help="Whose key: a-z, 0-9 and -; made where it is new.")] = "default",
    label: Annotated[str, typer.Option(help="What the key is for; for people.")] = "",
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Make a key and print it. It cannot be shown again."""
    from headshots.cli.output import note, print_json
    from headshots.keys import create_key

    key = create_key(_open(database), tenant, label=label)
    if as_json:
        print_json({"tenant": tenant, "label": label, "key": key})
        return
    typer.echo(key)
    note("Keep it: only a digest is stored, and it cannot be shown again.")


@app.command("list")
@reported
def list_all(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's keys.")] = None,
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """List keys, oldest first, revoked ones included."""
    from headshots.cli.output import print_json, print_table
    from headshots.keys import list_keys

    keys = list_keys(_open(database), tenant)
    if as_json:
        print_json(keys)
        return
    rows = [(key.id, key.tenant_id, key.label, _time(key.created_at), _time(key.revoked_at)) for key in keys]
    print_table(("ID", "TENANT", "LABEL", "CREATED", "REVOKED"), rows)


@app.command()
@reported
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `keys list` shows it: hs_ID_….")],
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Refuse a key from now on."""
    from headshots.cli.output import note, print_json
    from headshots.keys import revoke_key

    revoke_key(_open(database), key_id)
    if as_json:
        print_json({"revoked": key_id})
    else:
        note(f"{key_id} is refused from now on")


def _open(url: str | None) -> Engine:
    from headshots.database import migrate, open_database
    from headshots.settings import Home

    engine = open_database(url or Home.from_environment(os.environ).database_url)
    migrate(engine)
    return engine


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
