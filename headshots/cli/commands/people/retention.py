"""Defines `headshots subjects extend`, `headshots subjects hold` and `headshots subjects release`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, SubjectName, TlsCa
from headshots.cli.shoot_options import moment
from headshots.console.exits import reported

if TYPE_CHECKING:
    from headshots.client import Subject


@reported
def extend(
    subject: SubjectName,
    until: Annotated[
        datetime,
        typer.Argument(metavar="WHEN", parser=moment, help="90d from now, or an ISO time; at most 400 days ahead."),
    ],
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Keep a person longer."""
    from headshots.cli.session import connect

    with connect(address, api_key, tls_ca) as client:
        _tell(client.extend_retention(subject, until), as_json)


@reported
def hold(
    subject: SubjectName,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, at most 256 characters.")],
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Keep a person whatever their time, until `release`; they cannot be deleted meanwhile."""
    from headshots.cli.session import connect

    with connect(address, api_key, tls_ca) as client:
        _tell(client.hold_subject(subject, reason), as_json)


@reported
def release(
    subject: SubjectName,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """End a hold. A person whose time is past is erased then."""
    from headshots.cli.session import connect

    with connect(address, api_key, tls_ca) as client:
        _tell(client.release_subject(subject), as_json)


def _tell(subject: Subject, as_json: bool) -> None:
    from headshots.console.output import note, print_json

    if as_json:
        print_json(subject)
    elif subject.hold is not None:
        note(f"{subject.name} is held: {subject.hold.reason}")
    elif subject.expire_time is not None and subject.expire_time <= datetime.now(UTC):
        note(f"{subject.name} expired at {subject.expire_time:%Y-%m-%d %H:%M} UTC and is being erased")
    else:
        note(f"{subject.name} is kept until {subject.expire_time:%Y-%m-%d %H:%M} UTC")
