"""Defines `headshots audit`, which lists what was done to people, and verifies the log of it in the database."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from headshots.cli.database import open_gateway_database
from headshots.cli.extras import require
from headshots.cli.options import DEFAULT_ADDRESS, LARGEST, Address, ApiKey, DatabaseUrl, Json, TlsCa
from headshots.cli.shoot_options import past
from headshots.console.exits import ExitCode, reported

if TYPE_CHECKING:
    from headshots.audit.verifying import ChainReport, Head
    from headshots.client import AuditEvent

app = typer.Typer(help="What was done to people: list it, verify that the log is whole.", no_args_is_help=True)


class Deed(StrEnum):
    """Actions by the names that people give them."""

    SUBJECT_CREATED = "subject-created"
    CONSENT_GIVEN = "consent-given"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    RETENTION_EXTENDED = "retention-extended"
    SUBJECT_HELD = "subject-held"
    SUBJECT_RELEASED = "subject-released"
    SUBJECT_EXPIRED = "subject-expired"
    PHOTOS_UPLOADED = "photos-uploaded"
    PHOTO_DELETED = "photo-deleted"
    TRAINING_CREATED = "training-created"
    TRAINED = "trained"
    GALLERY_CREATED = "gallery-created"
    SHOOT_CREATED = "shoot-created"
    PAINTED = "painted"
    IMAGE_READ = "image-read"
    PREVIEW_READ = "preview-read"
    LINK_CREATED = "link-created"
    TRAINING_FILE_READ = "training-file-read"
    IMAGE_DELETED = "image-deleted"
    GALLERY_DELETED = "gallery-deleted"
    SUBJECT_DELETED = "subject-deleted"
    SUBJECT_ERASED = "subject-erased"
    IMAGE_VERIFIED = "image-verified"
    PHOTOS_EXPIRED = "photos-expired"
    ADAPTER_EXPIRED = "adapter-expired"
    IMAGES_EXPIRED = "images-expired"


@app.command("list")
@reported
def list_events(
    subject: Annotated[str | None, typer.Option(metavar="SUBJECT", help="Only this one's, erased or not.")] = None,
    action: Annotated[list[Deed] | None, typer.Option(help="Only this; may be repeated.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option(metavar="WHEN", parser=past, help="Only what was recorded then or later: 7d ago, an ISO time."),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(metavar="WHEN", parser=past, help="Only what was recorded before.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=LARGEST, help="At most so many, the newest.")] = 100,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """List what was done to people and by which key, newest first."""
    from headshots.cli.session import connect
    from headshots.client import AuditAction
    from headshots.console.output import print_json, print_table

    actions = [AuditAction(each.name) for each in action or ()]
    with connect(address, api_key, tls_ca) as client:
        found = client.list_audit_events(
            subject=subject, actions=actions, start_time=since, end_time=until, page_size=min(limit, 1000)
        )
        events = list(islice(found, limit))
    if as_json:
        print_json(events)
    else:
        print_table(("EVENT", "TIME", "KEY", "ACTION", "COUNT", "OF"), map(_row, events))


def _row(event: AuditEvent) -> tuple[object, ...]:
    number, who = event.name.rpartition("/")[2], event.key_id or "the gateway"
    # Both in one column, which wraps between them: in two a line would be wider than most terminals.
    of = f"{event.subject} {event.resource.removeprefix(f'{event.subject}/')}".rstrip()
    return number, event.record_time, who, Deed[event.action], event.count, of


@app.command()
@reported
def verify(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's chain.")] = None,
    head: Annotated[
        list[str] | None,
        typer.Option(metavar="NUMBER:SHA256", help="A head that you noted earlier, with --tenant; may be repeated."),
    ] = None,
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Find events that were changed, removed, added or put elsewhere; exit code 1 where there is one.

    The log stands in the gateway's database, so run this where that can be reached.
    """
    require("audit verify", "database")
    from headshots.audit.verifying import chained_tenants, verify_chain
    from headshots.console.output import print_json

    if head and tenant is None:
        raise typer.BadParameter("tell whose head it is with --tenant", param_hint="--head")
    noted = [_head(each) for each in head or ()]
    engine = open_gateway_database(database)
    reports = [verify_chain(engine, each, noted) for each in ([tenant] if tenant else chained_tenants(engine))]
    if as_json:
        print_json(reports)
    else:
        for report in reports:
            _print(report)
    if any(report.faults for report in reports):
        raise typer.Exit(ExitCode.FAILED)


def _head(value: str) -> Head:
    from headshots.audit.verifying import Head

    if (parts := re.fullmatch(r"(\d{1,18}):([0-9a-f]{64})", value)) is None:
        raise typer.BadParameter(f"{value!r} is no head; `audit verify` prints NUMBER:SHA256", param_hint="--head")
    return Head(int(parts[1]), parts[2])


def _print(report: ChainReport) -> None:
    from headshots.console.output import counted, say

    told = "whole" if not report.faults else counted(len(report.faults), "fault")
    say(f"{report.tenant_id}: {counted(report.events, 'event')}, {told}; head {report.head}")
    for fault in report.faults:
        say(f"  {fault}")
