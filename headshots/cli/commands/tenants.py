"""Defines `headshots tenants`, which lists tenants and grants them rights in the gateway's database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from headshots.cli.database import open_gateway_database
from headshots.cli.extras import require
from headshots.cli.options import DatabaseUrl, Json
from headshots.cli.shoot_options import span, span_shown
from headshots.console.exits import reported

app = typer.Typer(help="Tenants and their rights. They stand in the database, so run this where it can be reached.")
TenantId = Annotated[str, typer.Argument(metavar="TENANT", help="As `tenants list` shows it.")]


@app.command("list")
@reported
def list_all(database: DatabaseUrl = None, as_json: Json = False) -> None:
    """List tenants, oldest first: weight (1 is no right to it) and limit of high priority, consent, time kept."""
    require("tenants list", "database")
    from headshots.console.output import print_json, print_table
    from headshots.keys import list_tenants

    tenants = [
        (
            each.id,
            each.display_name,
            each.high_weight,
            each.high_limit,
            each.consent_required,
            each.retention_seconds,
            datetime.fromtimestamp(each.created_at, UTC),
        )
        for each in list_tenants(open_gateway_database(database))
    ]
    if as_json:
        names = (
            "id",
            "display_name",
            "high_weight",
            "high_limit",
            "consent_required",
            "retention_seconds",
            "create_time",
        )
        print_json([dict(zip(names, row, strict=True)) for row in tenants])
        return
    rows = [
        (*first, "required" if required else "waived", span_shown(kept), created)
        for *first, required, kept, created in tenants
    ]
    print_table(("ID", "NAME", "HIGH", "AT ONCE", "CONSENT", "KEPT", "CREATED"), rows)


@app.command("grant-high")
@reported
def grant_high(
    tenant: TenantId,
    weight: Annotated[
        int, typer.Option(help="How many times as much as other work the tenant's may have running, 2 to 8.")
    ] = 4,
    limit: Annotated[
        int, typer.Option(help="How many trainings and shots of high priority may wait or run at a time.")
    ] = 64,
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Let a tenant ask for high priority."""
    require("tenants grant-high", "database")
    from headshots import keys

    keys.grant_high(open_gateway_database(database), tenant, weight, limit)
    sentence = (
        f"{tenant} may ask for high priority, which counts {weight} times as much, for {limit} trainings and shots"
    )
    _told({"tenant": tenant, "high_weight": weight, "high_limit": limit}, f"{sentence} at a time", as_json)


@app.command("revoke-high")
@reported
def revoke_high(tenant: TenantId, database: DatabaseUrl = None, as_json: Json = False) -> None:
    """Take the right to high priority back."""
    require("tenants revoke-high", "database")
    from headshots import keys

    keys.revoke_high(open_gateway_database(database), tenant)
    _told({"tenant": tenant, "high_weight": 1}, f"{tenant} may not ask for high priority any more", as_json)


@app.command("waive-consent")
@reported
def waive_consent(tenant: TenantId, database: DatabaseUrl = None, as_json: Json = False) -> None:
    """Let a tenant train and paint people without a consent here, as where it keeps them itself."""
    _set_consent_required(tenant, database, "waive-consent", as_json, required=False)


@app.command("require-consent")
@reported
def require_consent(tenant: TenantId, database: DatabaseUrl = None, as_json: Json = False) -> None:
    """Require a consent of everybody whom a tenant trains and paints, as at first."""
    _set_consent_required(tenant, database, "require-consent", as_json, required=True)


@app.command("set-retention")
@reported
def set_retention(
    tenant: TenantId,
    kept: Annotated[int, typer.Argument(metavar="SPAN", parser=span, help="An hour to 400 days: 12h, 90d.")],
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Say how long a tenant's people are kept after their last delivery. Those there are keep what they were told."""
    require("tenants set-retention", "database")
    from headshots import keys
    from headshots.console.output import note, print_json

    keys.set_retention(open_gateway_database(database), tenant, kept)
    if as_json:
        print_json({"tenant": tenant, "retention_seconds": kept})
    else:
        note(f"new people of {tenant}, and those with a new delivery, are kept for {span_shown(kept)}")


def _set_consent_required(tenant: str, database: str | None, command: str, as_json: bool, *, required: bool) -> None:
    require(f"tenants {command}", "database")
    from headshots import keys
    from headshots.console.output import note, print_json

    keys.set_consent_required(open_gateway_database(database), tenant, required=required)
    if as_json:
        print_json({"tenant": tenant, "consent_required": required})
    else:
        note(f"people of {tenant} {'have to consent' if required else 'need no consent here'}")


def _told(granted: dict[str, object], sentence: str, as_json: bool) -> None:
    from headshots.console.output import note, print_json

    if as_json:
        print_json(granted)
    else:
        note(sentence)
