"""Defines `headshots keys`, which makes API keys in the gateway's database, where only a digest is kept."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headshots.cli.extras import require
from headshots.cli.options import DatabaseUrl, Json
from headshots.console.exits import reported

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

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

    key = create_key(_open(database), tenant, label=label)
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

    keys = list_keys(_open(database), tenant)
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
    revoke_key(_open(database), revoked)
    if as_json:
        print_json({"revoked": revoked})
    else:
        note(f"{revoked} is refused from now on")


def _open(url: str | None) -> Engine:
    """The database, with its schema. A folder that is missing is a slip, unless it is the home, which may be new.

    Raises:
        InvalidArgumentError: DATABASE_URL_INVALID.
    """
    from sqlalchemy.engine import make_url

    from headshots.database import migrate, open_database
    from headshots.errors import InvalidArgumentError
    from headshots.settings import Home

    if url is not None and url.startswith("sqlite:"):
        folder = Path(make_url(url).database or ".").absolute().parent
        if not folder.is_dir():
            raise InvalidArgumentError(
                "DATABASE_URL_INVALID",
                f"{url}: there is no folder {folder}; name the database that the gateway uses (HEADSHOTS_DATABASE_URL)",
            )
    engine = open_database(url or Home.from_environment(os.environ).database_url)
    migrate(engine)
    return engine


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
