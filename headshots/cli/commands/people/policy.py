"""Defines `headshots tenant`, which shows the tenant of the key and says how long its people are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, TlsCa
from headshots.cli.shoot_options import span, span_or_zero, span_shown
from headshots.console.exits import reported

if TYPE_CHECKING:
    from headshots.client import Tenant
    from headshots.client.models.subjects import Unchanged

app = typer.Typer(help="The tenant of your key: show it, say how long its people are kept.", no_args_is_help=True)
_AS_SUBJECT = "subject"
_USUAL = "default"


@app.command()
@reported
def show(
    address: Address = DEFAULT_ADDRESS, api_key: ApiKey = None, tls_ca: TlsCa = None, as_json: Json = False
) -> None:
    """Show the tenant and how long its people, and what they have, are kept."""
    from headshots.cli.session import connect

    with connect(address, api_key, tls_ca) as client:
        _print(client.get_tenant(), as_json)


@app.command("set-policy")
@reported
def set_policy(
    keep: Annotated[
        str | None,
        typer.Option(metavar="SPAN", help="People, after their last delivery: 12h, 90d, or `default`: 30 days."),
    ] = None,
    photos: Annotated[
        str | None,
        typer.Option(metavar="SPAN", help="Photos, after a delivery: 0, 12h, 7d, or `subject`: as long as the person."),
    ] = None,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Say how long people, and what they have, are kept, from the next creation or delivery on."""
    from headshots.cli.session import connect

    if keep is None and photos is None:
        raise typer.BadParameter("say what changes", param_hint="--keep / --photos")
    with connect(address, api_key, tls_ca) as client:
        tenant = client.update_tenant(retention_seconds=_own(keep), photo_retention_seconds=_part(photos))
    _print(tenant, as_json)


def _own(value: str | None) -> int | Unchanged | None:
    from headshots.client.models.subjects import UNCHANGED

    if value is None:
        return UNCHANGED
    return None if value == _USUAL else span(value)


def _part(value: str | None) -> int | Unchanged | None:
    from headshots.client.models.subjects import UNCHANGED

    if value is None:
        return UNCHANGED
    return None if value == _AS_SUBJECT else span_or_zero(value)


def _print(tenant: Tenant, as_json: bool) -> None:
    from headshots.console.output import print_fields, print_json

    if as_json:
        print_json(tenant)
        return
    print_fields(
        {
            "tenant": tenant.name,
            "name": tenant.display_name,
            "consent": "required" if tenant.consent_required else "waived",
            "people kept": f"{span_shown(tenant.retention_seconds)} after their last delivery",
            "photos kept": _shown(tenant.photo_retention_seconds),
        }
    )


def _shown(seconds: int | None) -> str:
    if seconds is None:
        return "as long as the person"
    return f"{span_shown(seconds)} after a delivery" if seconds else "until a delivery"
