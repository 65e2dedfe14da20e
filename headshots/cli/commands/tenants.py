"""Defines `headshots tenants`, which lists tenants and grants them rights in the gateway's database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from headshots.cli.database import open_gateway_database
from headshots.cli.extras import require
from headshots.cli.options import DatabaseUrl, Json
from headshots.console.exits import reported

app = typer.Typer(help="Tenants and their rights. They stand in the database, so run this where it can be reached.")
TenantId = Annotated[str, typer.Argument(metavar="TENANT", help="As `tenants list` shows it.")]


@app.command("list")
@reported
def list_all(database: DatabaseUrl = None, as_json: Json = False) -> None:
    """List tenants, oldest first, with the weight of their high priority: 1 is no right to it."""
    require("tenants list", "database")
    from headshots.console.output import print_json, print_table
    from headshots.keys import list_tenants

    tenants = [
        (each.id, each.display_name, each.high_weight, datetime.fromtimestamp(each.created_at, UTC))
        for each in list_tenants(open_gateway_database(database))
    ]
    if as_json:
        names = ("id", "display_name", "high_weight", "create_time")
        print_json([dict(zip(names, row, strict=True)) for row in tenants])
        return
    print_table(("ID", "NAME", "HIGH", "CREATED"), tenants)


@app.command("grant-high")
@reported
def grant_high(
    tenant: TenantId,
    weight: Annotated[
        int, typer.Option(help="How many times as much as other work the tenant's may have running, 2 to 8.")
    ] = 4,
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Let a tenant ask for high priority."""
    require("tenants grant-high", "database")
    from headshots import keys

    keys.grant_high(open_gateway_database(database), tenant, weight)
    _told(tenant, weight, f"{tenant} may ask for high priority, which counts {weight} times as much", as_json)


@app.command("revoke-high")
@reported
def revoke_high(tenant: TenantId, database: DatabaseUrl = None, as_json: Json = False) -> None:
    """Take the right to high priority back."""
    require("tenants revoke-high", "database")
    from headshots import keys

    keys.revoke_high(open_gateway_database(database), tenant)
    _told(tenant, 1, f"{tenant} may not ask for high priority any more", as_json)


def _told(tenant: str, weight: int, sentence: str, as_json: bool) -> None:
    from headshots.console.output import note, print_json

    if as_json:
        print_json({"tenant": tenant, "high_weight": weight})
    else:
        note(sentence)
