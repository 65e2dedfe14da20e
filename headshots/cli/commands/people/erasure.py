"""Defines `headshots erasure`, which lists erasures, verifies receipts, and has nobody come back from a backup."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headshots.cli.database import open_gateway_database
from headshots.cli.extras import require, require_services
from headshots.cli.folders import refuse_missing
from headshots.cli.options import DEFAULT_ADDRESS, LARGEST, Address, ApiKey, DatabaseUrl, Json, TlsCa
from headshots.console.exits import ExitCode, reported

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from headshots.receipts.verifying import Verification

app = typer.Typer(
    help="Erasures of people: list them, save and verify their receipts, have nobody come back from a backup.",
    no_args_is_help=True,
)

_REPLAY = "services.gateway.replay"


@app.command("list")
@reported
def list_erasures(
    commitment: Annotated[
        str, typer.Option(metavar="HEX", help="Only that of the subject with this erasure commitment.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=LARGEST, help="At most so many, the newest.")] = 100,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """List erasures, newest first."""
    from headshots.cli.session import connect
    from headshots.console.output import print_json, print_table

    with connect(address, api_key, tls_ca) as client:
        found = client.list_erasure_receipts(subject_commitment=commitment, page_size=min(limit, 1000))
        erasures = list(islice(found, limit))
    if as_json:
        print_json(erasures)
        return
    rows = [(each.name, each.number or "", each.state, each.trigger, each.request_time) for each in erasures]
    print_table(("ERASURE", "NUMBER", "STATE", "TRIGGER", "REQUESTED"), rows)


@app.command()
@reported
def receipt(
    erasure: Annotated[str, typer.Argument(metavar="ERASURE", help="erasures/ID, or the ID alone.")],
    output: Annotated[
        Path | None,
        typer.Option("--out", "--output", "-o", dir_okay=False, help="File to save it to. Default: print it."),
    ] = None,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Print or save the receipt of an erasure as it was signed; with --json, all that is known of the erasure."""
    from headshots.cli.session import connect
    from headshots.console.output import note, print_json
    from headshots.errors import FailedPreconditionError

    with connect(address, api_key, tls_ca) as client:
        found = client.get_erasure_receipt(erasure)
    if as_json:
        print_json(found)
        return
    if not found.receipt:
        raise FailedPreconditionError(
            "RECEIPT_UNSIGNED", f"{found.name} is not signed yet; a last look for late objects comes first, try again"
        )
    if output is None:
        typer.echo(found.receipt)
        return
    output.write_text(found.receipt, encoding="ascii")
    note(f"{output}: receipt {found.number}, {found.state}")


@app.command()
@reported
def keys(
    output: Annotated[
        Path | None,
        typer.Option("--out", "--output", "-o", dir_okay=False, help="File to save them to. Default: print them."),
    ] = None,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Print or save the public keys that receipts are or were signed with, as PEM, newest first."""
    from headshots.cli.session import connect
    from headshots.console.output import counted, note, print_json

    with connect(address, api_key, tls_ca) as client:
        found = list(client.list_erasure_keys())
    if as_json:
        print_json(found)
        return
    pem = "".join(each.public_key_pem for each in found)
    if output is None:
        typer.echo(pem, nl=False)
        return
    output.write_text(pem, encoding="ascii")
    note(f"{output}: {counted(len(found), 'key')}")


@app.command()
@reported
def verify(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Receipts, in any order.")],
    key: Annotated[
        Path,
        typer.Option(
            exists=True, dir_okay=False, help="PEM of the keys that you trust, as `headshots erasure keys` prints them."
        ),
    ],
    store: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Object store to look in, with the database of --database; as file:///path."),
    ] = None,
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Verify receipts: form, signature, and the chain between those given; exit code 1 where anything is wrong.

    Needs no gateway. With --store it also looks there and in the database for what must not be there any more:
    commitments to the erased people, rows and objects of people that the database does not know.
    """
    require("erasure verify", "receipts", *(["gateway"] if store is not None else []))
    from headshots.console.output import print_json
    from headshots.receipts.verifying import verify as verify_receipts

    found = verify_receipts({str(file): file.read_bytes() for file in files}, _read_keys(key))
    remains = _look(found, store, database) if store is not None else []
    if as_json:
        print_json({"receipts": found.receipts, "chain_faults": found.chain_faults, "remains": remains})
    else:
        _print(found, remains, looked=store is not None)
    if remains or not found.is_whole:
        raise typer.Exit(ExitCode.FAILED)


def _read_keys(file: Path) -> list[Ed25519PublicKey]:
    from headshots.errors import InvalidArgumentError
    from headshots.receipts.verifying import read_public_keys

    try:
        return read_public_keys(file.read_bytes())
    except ValueError as error:
        raise InvalidArgumentError(
            "RECEIPT_KEY_INVALID", f"{file}: {error}; `headshots erasure keys` saves the installation's"
        ) from error


def _look(found: Verification, store: str, database: str | None) -> list[str]:
    from headshots.artifacts import ArtifactStore
    from headshots.receipts.absence import look

    sound = [each.document for each in found.receipts if each.document is not None and not each.faults]
    return look(open_gateway_database(database), ArtifactStore.open(store), sound)


def _print(found: Verification, remains: list[str], *, looked: bool) -> None:
    from headshots.console.output import say

    for each in found.receipts:
        number = f"receipt {each.document['number']}, " if each.document is not None and not each.faults else ""
        say(f"{each.source}: {number}{'; '.join(each.faults) or 'whole'}")
    for fault in (*found.chain_faults, *remains):
        say(fault)
    if looked:
        from headshots.receipts.absence import LOOKED_FOR

        say(f"looked for {LOOKED_FOR}: {len(remains) or 'nothing'} found")


@app.command()
@reported
def replay(
    database: DatabaseUrl = None,
    store: Annotated[
        str | None,
        typer.Option(envvar="HEADSHOTS_STORE_URL", help="The object store. Default: a folder in HEADSHOTS_HOME."),
    ] = None,
    log: Annotated[
        str | None,
        typer.Option(
            envvar="HEADSHOTS_GATEWAY_ERASURE_LOG_URL", help="The store of the log of erasures. Default: the gateway's."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Erase again all whom the log of erasures tells of and a restored backup has brought back.

    Receipts that a restored database has lost come back, too. Run it after a restore of the database, of the object
    store or of both, beside gateways that run or not. It reads the whole log and erases held and busy people, too; what
    it has done already it does not do again. Exit code 1 where somebody could not be erased, or receipts not be read.
    """
    require_services("erasure replay")
    require("erasure replay", "gateway")
    given = {"DATABASE_URL": database, "STORE_URL": store, "ERASURE_LOG_URL": log}
    for field, url in given.items():
        if url:
            refuse_missing(url, f"HEADSHOTS_{'GATEWAY_' if field == 'ERASURE_LOG_URL' else ''}{field}")
    # Erasing is the gateway's: its code, its settings.
    settings = {f"HEADSHOTS_GATEWAY_{field}": url for field, url in given.items() if url}
    command = [sys.executable, "-P", "-m", _REPLAY]
    done = subprocess.run(command, env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise typer.Exit(ExitCode.FAILED)
    if as_json:
        typer.echo(done.stdout, nl=False)
    else:
        _print_replayed(**json.loads(done.stdout))


def _print_replayed(subjects: int, folders: int, objects: int, receipts: int, log: str, log_is_in_store: bool) -> None:
    from headshots.console.output import counted, note, say

    note(f"by the log of erasures in {log}")
    if log_is_in_store:
        note(
            "that is the object store itself: where it was restored, too, the log has forgotten who was erased since; "
            "keep it elsewhere (HEADSHOTS_GATEWAY_ERASURE_LOG_URL)"
        )
    if receipts:
        typer.echo(f"{counted(receipts, 'receipt')} came back into the database")
    if not subjects and not folders:
        typer.echo("nobody had come back")
        return
    say(
        f"erased {counted(subjects, 'subject')} of the database and what the object store alone had of "
        f"{counted(folders, 'subject')}: {counted(objects, 'object')}"
    )
