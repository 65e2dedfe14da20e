"""Defines `headshots audit`, which verifies the chains of the audit log in the gateway's database."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from headshots.cli.database import open_gateway_database
from headshots.cli.extras import require
from headshots.cli.options import DatabaseUrl, Json
from headshots.console.exits import ExitCode, reported

if TYPE_CHECKING:
    from headshots.audit.verifying import ChainReport, Head

app = typer.Typer(help="The audit log. Its chains stand in the database, so run this where it can be reached.")


@app.callback()
def group() -> None:
    """Let `verify` be a command of its own."""


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
    """Find events that were changed, removed, added or put elsewhere; exit code 1 where there is one."""
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
    from headshots.console.output import counted

    told = "whole" if not report.faults else counted(len(report.faults), "fault")
    typer.echo(f"{report.tenant_id}: {counted(report.events, 'event')}, {told}; head {report.head}")
    for fault in report.faults:
        typer.echo(f"  {fault}")
