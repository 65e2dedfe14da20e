"""Defines `headshots subjects consent` and `headshots subjects withdraw`."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from headshots.cli import consents
from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, SubjectName, TlsCa
from headshots.console.exits import reported


@reported
def consent(
    subject: SubjectName,
    statement: consents.StatementToGive,
    consent_version: consents.Version = "1",
    consent_reference: consents.Reference = "",
    consent_expires: consents.Expiry = None,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Record what a person agreed to, in place of an earlier consent."""
    from headshots.cli.session import connect
    from headshots.console.output import note, print_json

    agreed = consents.consent(statement, consent_version, consent_reference, consent_expires)
    assert agreed is not None
    with connect(address, api_key, tls_ca) as client:
        found = client.give_consent(subject, agreed)
    if as_json:
        print_json(found)
    else:
        note(f"{found.name}: {consents.shown(found.consent)}")


@reported
def withdraw(
    subject: SubjectName,
    yes: Annotated[bool, typer.Option("--yes", "-y", metavar="", help="Do not ask.")] = False,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Take a person's consent back: stop what runs for them and erase all they have, held or not."""
    from headshots.cli.session import connect
    from headshots.console.erasures import note_erased, note_receipt
    from headshots.console.output import confirm, note, print_json

    with connect(address, api_key, tls_ca) as client:
        found = client.get_subject(subject)
        if not yes:
            confirm(f"Withdraw the consent of {found.display_name or found.name}, and erase all that there is of them?")
        done = client.withdraw_consent(found)
    if as_json:
        print_json({"withdrawn": found.name, **dataclasses.asdict(done)})
    elif done.erased:
        note_erased(found.name, done.deleted_objects, done.erasure)
    else:
        note(f"{found.name} is gone; its jobs are being stopped, then the gateway erases the rest")
        note_receipt(done.erasure)
