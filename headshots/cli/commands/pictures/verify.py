"""Defines `headshots verify`, which tells what an image file says of its origin, and what a gateway knows of it."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headshots.cli.extras import require
from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, TlsCa
from headshots.console.exits import ExitCode, reported

if TYPE_CHECKING:
    from headshots.client import ImageOrigin
    from headshots.marking.verification import Verification

_NOTHING = "nothing says so"
_ONLINE_STATES = {"UNTRUSTED": "valid, by a signer that is not trusted here"}


@reported
def verify(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="A JPEG, PNG or WebP file, also a screenshot.")],
    trust: Annotated[
        Path | None,
        typer.Option(
            "--trust",
            dir_okay=False,
            help="PEM file of the authorities whose signatures are trusted. Default: this installation's own.",
        ),
    ] = None,
    online: Annotated[
        bool,
        typer.Option("--online", help="Send it to the gateway, which knows what was made here, and what is erased."),
    ] = False,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Tell whether a machine made an image, and whether it was made here: by signature, metadata and watermark.

    Nothing is sent anywhere without --online. Without it a signature of this installation tells that it was made here;
    a watermark tells that some installation of headshots made it, and --online which. In pictures under 256 pixels it
    is seldom readable. Exit code 1 where nothing says that it was made by any, 4 for a file that is no sound picture.
    """
    if online:
        if trust is not None:
            raise typer.BadParameter("the gateway has authorities of its own; leave --trust or --online out")
        _ask_gateway(file, as_json, address, api_key, tls_ca)
        return
    require("verify", "marking")
    from headshots.console.output import print_fields, print_json

    found = _read(file, _trusted(trust))
    if as_json:
        print_json(_document(found))
    else:
        print_fields(_fields(found))
    if not found.by_headshots:
        raise typer.Exit(ExitCode.FAILED)


def _read(file: Path, trusted: str) -> Verification:
    from headshots.errors import InvalidPhotoError
    from headshots.marking.verifying import verify as ask

    try:
        return ask(file.read_bytes(), trusted)
    except InvalidPhotoError as error:
        message = f"{file} is no JPEG, PNG or WebP file that can be opened: what was damaged or changed proves nothing"
        raise InvalidPhotoError(error.reason, message) from error


def _ask_gateway(file: Path, as_json: bool, *session: Any) -> None:
    from headshots.cli.session import connect
    from headshots.console.output import print_fields, print_json

    with connect(*session) as client:
        found = client.verify_image(file)
    if as_json:
        print_json(found)
    else:
        print_fields(_known_fields(found))
    if not found.made_here:
        raise typer.Exit(ExitCode.FAILED)


def _known_fields(found: ImageOrigin) -> dict[str, object]:
    signature, metadata, watermark = found.signature, found.metadata, found.watermark
    failures = f" ({', '.join(signature.failures)})" if signature.failures else ""
    here = _NOTHING if not found.made_here else "yes, for you" if found.yours else "yes"
    return {
        "made here": f"{here}; erased since" if found.erased else here,
        "images": ", ".join(found.images) or "-",
        "made by a machine": "yes" if found.made_by_machine else _NOTHING,
        "signature": f"{_ONLINE_STATES.get(signature.state, signature.state.lower())}{failures}",
        "signed by": signature.signer or "-",
        "metadata": metadata.source_type if metadata else "none",
        "system": f"{metadata.system} {metadata.system_version}".strip() if metadata else "-",
        "owner": (metadata and metadata.owner) or "-",
        "usage terms": (metadata and metadata.usage_terms) or "-",
        "licence": (metadata and metadata.licence) or "-",
        "watermark": f"{watermark.mark_id}, confidence {watermark.confidence:.2f}" if watermark else "none",
    }


def _trusted(given: Path | None) -> str:
    """PEM of the authorities; none where this installation has made none of its own."""
    from headshots.settings import Home

    if given is not None:
        return given.read_text()
    own = Home.from_environment(os.environ).authority_file
    return own.read_text() if own.exists() else ""


def _document(found: Verification) -> dict[str, object]:
    watermark = found.watermark and {"id": found.watermark.mark_id.hex(), "confidence": found.watermark.confidence}
    return {
        "made_here": found.is_signed or None,
        "made_by_headshots": found.by_headshots,
        "made_by_machine": found.made_by_machine,
        "signature": asdict(found.signature),
        "metadata": found.metadata and asdict(found.metadata),
        "watermark": watermark,
    }


def _fields(found: Verification) -> dict[str, object]:
    signature, metadata, watermark = found.signature, found.metadata, found.watermark
    failures = f" ({', '.join(signature.failures)})" if signature.failures else ""
    here = "by an installation of headshots; --online tells whether by this one" if found.by_headshots else _NOTHING
    return {
        "made here": "yes, by its signature" if found.is_signed else here,
        "made by a machine": "yes" if found.made_by_machine else _NOTHING,
        "signature": f"{signature.state}{failures}",
        "signed by": signature.signer or "-",
        "metadata": metadata.source_type if metadata else "none",
        "system": f"{metadata.system} {metadata.system_version}".strip() if metadata else "-",
        "owner": (metadata and metadata.owner) or "-",
        "usage terms": (metadata and metadata.usage_terms) or "-",
        "licence": (metadata and metadata.licence) or "-",
        "watermark": f"{watermark.mark_id.hex()}, confidence {watermark.confidence:.2f}" if watermark else "none",
    }
