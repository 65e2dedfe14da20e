"""Defines `headshots tenant`: the tenant of the key, how long its people are kept, what its images say of rights."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, TlsCa
from headshots.cli.shoot_options import span, span_or_zero, span_shown
from headshots.console.exits import reported

if TYPE_CHECKING:
    from headshots.client import Tenant
    from headshots.client.models.subjects import Unchanged

app = typer.Typer(
    help="The tenant of your key: show it, say how long its people are kept and what its images say of rights.",
    no_args_is_help=True,
)
_AS_SUBJECT = "subject"
_USUAL = "default"


@app.command()
@reported
def show(
    address: Address = DEFAULT_ADDRESS, api_key: ApiKey = None, tls_ca: TlsCa = None, as_json: Json = False
) -> None:
    """Show the tenant, how long its people, and what they have, are kept, and what its images say of rights."""
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
    adapters: Annotated[
        str | None, typer.Option(metavar="SPAN", help="Adapters, after they are delivered: 30d, or `subject`.")
    ] = None,
    images: Annotated[
        str | None, typer.Option(metavar="SPAN", help="Images, after their gallery has ended: 7d, or `subject`.")
    ] = None,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Say how long people, and what they have, are kept, from the next creation or delivery on.

    A SPAN is an hour to 400 days: 12h, 90d.
    """
    from headshots.cli.session import connect

    if not any((keep, photos, adapters, images)):
        raise typer.BadParameter("say what changes", param_hint="--keep / --photos / --adapters / --images")
    with connect(address, api_key, tls_ca) as client:
        tenant = client.update_tenant(
            retention_seconds=_seconds(keep, _USUAL, span),
            photo_retention_seconds=_seconds(photos, _AS_SUBJECT, span_or_zero),
            adapter_retention_seconds=_seconds(adapters, _AS_SUBJECT, span),
            image_retention_seconds=_seconds(images, _AS_SUBJECT, span),
        )
    _print(tenant, as_json)


@app.command("set-rights")
@reported
def set_rights(
    owner: Annotated[
        str | None,
        typer.Option(help="Who owns the images, or `default`: as the installation says."),
    ] = None,
    terms: Annotated[
        str | None, typer.Option(help="What may be done with them, or `default`: as the installation says.")
    ] = None,
    licence: Annotated[
        str | None, typer.Option(help="Web page or text of their licence, '' for none, or `default`.")
    ] = None,
    prompts: Annotated[
        bool | None,
        typer.Option("--prompts/--no-prompts", help="Whether they say their prompts; at first not."),
    ] = None,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Say what images of galleries that are made from now on say of rights, for everybody to read in their files."""
    from headshots.cli.session import connect
    from headshots.client.models.subjects import UNCHANGED

    if all(each is None for each in (owner, terms, licence, prompts)):
        raise typer.BadParameter("say what changes", param_hint="--owner / --terms / --licence / --prompts")
    with connect(address, api_key, tls_ca) as client:
        tenant = client.update_tenant(
            rights_owner=_text(owner),
            usage_terms=_text(terms),
            licence=_text(licence),
            prompts_in_images=UNCHANGED if prompts is None else prompts,
        )
    _print(tenant, as_json)


def _text(value: str | None) -> str | Unchanged | None:
    from headshots.client.models.subjects import UNCHANGED

    if value is None:
        return UNCHANGED
    return None if value == _USUAL else value


def _seconds(value: str | None, nothing: str, read: Callable[[str], int]) -> int | Unchanged | None:
    """`nothing`: the word for what is said where nobody says anything."""
    from headshots.client.models.subjects import UNCHANGED

    if value is None:
        return UNCHANGED
    return None if value == nothing else read(value)


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
            "photos kept": _shown(tenant.photo_retention_seconds, "after a delivery"),
            "adapters kept": _shown(tenant.adapter_retention_seconds, "after their delivery"),
            "images kept": _shown(tenant.image_retention_seconds, "after their gallery has ended"),
            "images belong to": _said(tenant.rights_owner),
            "usage terms": _said(tenant.usage_terms),
            "licence": _said(tenant.licence) or "none",
            "prompts in images": "yes" if tenant.prompts_in_images else "no",
        }
    )


def _said(text: str | None) -> str:
    return "as the installation says" if text is None else text


def _shown(seconds: int | None, after: str) -> str:
    if seconds is None:
        return "as long as the person"
    return f"{span_shown(seconds)} {after}" if seconds else "until a delivery"
