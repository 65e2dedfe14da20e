"""Defines the options that tell what a person agreed to."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headshots.cli.shoot_options import moment

if TYPE_CHECKING:
    from headshots.client import Consent


def statement(value: str) -> str:
    """The text, or that of the file whose name follows an @.

    Raises:
        typer.BadParameter: it is empty, or the file cannot be read.
    """
    text = value
    if value.startswith("@"):
        try:
            text = Path(value[1:]).expanduser().read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise typer.BadParameter(f"{value[1:]} cannot be read as text: {error}") from error
    if not text.strip():
        raise typer.BadParameter("an empty statement; give the text that the person agreed to, or @FILE")
    return text


_HELP = "What the person agreed to: the text, or @FILE."
Statement = Annotated[str | None, typer.Option("--consent", metavar="TEXT|@FILE", parser=statement, help=_HELP)]
StatementToGive = Annotated[str, typer.Option("--consent", metavar="TEXT|@FILE", parser=statement, help=_HELP)]
Version = Annotated[str, typer.Option("--consent-version", metavar="VERSION", help="Which version of the text.")]
Reference = Annotated[
    str, typer.Option("--consent-reference", metavar="ID", help="Your own note of how it was given, as a form's id.")
]
Expiry = Annotated[
    datetime | None,
    typer.Option("--consent-expires", metavar="WHEN", parser=moment, help="90d, or an ISO time. Default: never."),
]


def consent(
    text: str | None, version: str = "1", reference: str = "", expires: datetime | None = None
) -> Consent | None:
    """What was given; None where no option was.

    Raises:
        typer.BadParameter: something is told of a consent, and not what was agreed to.
    """
    from headshots.client import Consent

    if text is None:
        if reference or expires is not None or version != "1":
            raise typer.BadParameter("tell what the person agreed to", param_hint="--consent")
        return None
    return Consent(text, version, reference=reference, expire_time=expires)


def shown(agreed: Consent | None) -> str:
    """A consent in one line."""
    if agreed is None:
        return "none given"
    until = f" until {agreed.expire_time:%Y-%m-%d %H:%M} UTC" if agreed.expire_time is not None else ""
    purposes = " and ".join(purpose.lower() for purpose in agreed.purposes)
    return f"version {agreed.version} for {purposes}{until}"
