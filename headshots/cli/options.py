"""Defines the options that many commands share."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from headshots.cli.addresses import PORTS, local_address


def existing_folder(value: str) -> Path:
    """A folder that exists; `~` is expanded, which no shell does in `make demo PHOTOS=~/selfies`.

    Raises:
        typer.BadParameter: it is not.
    """
    folder = Path(value).expanduser()
    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} is {'a file' if folder.exists() else 'not there'}; a folder is needed")
    return folder


def existing_foundation(value: str) -> Path:
    """A folder or a file that exists, `~` expanded, else what a hub calls a model. What is none is told by name later.

    Raises:
        typer.BadParameter: nothing is there, and no hub has models of that name.
    """
    from headshots.diffusion.foundations.names import hub_name, named

    path = named(value)
    if not path.exists() and hub_name(path) is None:
        raise typer.BadParameter(
            f"{path} is not there; a folder or a file is needed, or a hub's model, as org/name@revision"
        )
    return path


def _of_this_machine(context: typer.Context, parameter: typer.CallbackParam, value: str) -> str:
    """Where nobody names an address, that of this machine's gateway, whose port and host may be set.

    Raises:
        typer.BadParameter: HEADSHOTS_GATEWAY_PORT is no port.
    """
    from headshots.errors import InvalidArgumentError

    source = context.get_parameter_source(parameter.name or "")
    if source is None or source.name != "DEFAULT":
        return value
    try:
        return local_address("gateway", os.environ)
    except InvalidArgumentError as error:
        raise typer.BadParameter(error.message) from error


DEFAULT_ADDRESS = f"127.0.0.1:{PORTS['gateway']}"

Address = Annotated[
    str,
    typer.Option(
        "--address",
        envvar="HEADSHOTS_ADDRESS",
        callback=_of_this_machine,
        help="Gateway, host:port. Default: this machine's, at HEADSHOTS_GATEWAY_PORT where that is set.",
        show_default=True,
    ),
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        "--api-key",
        envvar="HEADSHOTS_API_KEY",
        help="Key of the tenant. Without one, the file api-key in HEADSHOTS_HOME, which the first start makes.",
        show_envvar=True,
    ),
]


def authorities(value: str) -> str:
    """The file of the authorities to trust; `system` means those of this machine, and `./system` a file of that name.

    Raises:
        typer.BadParameter: no such file.
    """
    if value == "system":
        return value
    file = Path(value).expanduser()
    if not file.is_file():
        told = "a folder" if file.exists() else "not there"
        raise typer.BadParameter(f"{file} is {told}; name a PEM file, or `system` for this machine's authorities")
    return str(file.absolute())


TlsCa = Annotated[
    str | None,
    typer.Option(
        "--tls-ca",
        envvar="HEADSHOTS_TLS_CA",
        metavar="FILE|system",
        parser=authorities,
        help="Connect with TLS, and trust these authorities: a PEM file, or `system`, those that this machine trusts.",
    ),
]


def _here_or_before_the_command(context: typer.Context, value: bool) -> bool:
    return value or bool(context.find_root().params.get("as_json"))


# An empty metavar: a flag takes no value that its help would have to name.
Json = Annotated[
    bool,
    typer.Option(
        "--json",
        metavar="",
        callback=_here_or_before_the_command,
        help="Print JSON on stdout and nothing else there; for scripts.",
    ),
]


class Urgency(StrEnum):
    """Priorities by the names that people give them."""

    STANDARD = "standard"
    HIGH = "high"


PriorityName = Annotated[
    Urgency,
    typer.Option("--priority", help="Who is served first within the tenant; high is a right that the operator grants."),
]
SubjectName = Annotated[str, typer.Argument(metavar="SUBJECT", help="Name of a subject, subjects/… or its bare id.")]
LARGEST = 2**31 - 1
"""Of the contract's whole numbers."""
Version = Annotated[int, typer.Option("--version", min=0, max=LARGEST, help="A version of it; 0 is the newest.")]
Foundation = Annotated[
    Path | None,
    typer.Option(
        "--foundation",
        envvar="HEADSHOTS_FOUNDATION",
        parser=existing_foundation,
        metavar="FOLDER|FILE|NAME",
        help="A foundation as it is found: a diffusers folder, one safetensors file, or a hub's org/name@revision; "
        "imported once, into the home, where it must be. Default: the bundled one.",
    ),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="HEADSHOTS_DATABASE_URL",
        help="The gateway's database. Default: SQLite in HEADSHOTS_HOME.",
    ),
]
FindLinks = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FOLDER",
        help="A folder of packages that is looked through before the package index is asked; repeat for more. "
        "PIP_FIND_LINKS names such folders too.",
    ),
]
