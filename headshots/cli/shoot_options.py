"""Defines the options of `headshots shoot`, and reads those that say which portraits and until when."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

OUT = Path("portraits")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Format(StrEnum):
    """File formats by the names that people give them."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"


def moment(value: str) -> datetime:
    """`45m`, `2h` or `1d` from now, or an ISO 8601 time, of this machine's zone where it names none.

    Raises:
        typer.BadParameter: it is neither.
    """
    if (span := re.fullmatch(r"(\d+)([smhd])", value.strip())) is not None:
        return datetime.now().astimezone() + timedelta(seconds=int(span[1]) * _SECONDS[span[2]])
    try:
        return datetime.fromisoformat(value.strip()).astimezone()
    except ValueError as error:
        raise typer.BadParameter(f"{value!r} is no time: 45m, 2h, 1d, or 2026-12-24T18:00") from error


def separate(values: list[str] | None) -> list[str]:
    """Names that may come several to an option, with commas between."""
    return [name.strip() for value in values or () for name in value.split(",") if name.strip()]


Person = Annotated[
    str, typer.Argument(metavar="SUBJECT|FOLDER", help="Name of a subject, or a folder of one person's selfies.")
]
PackName = Annotated[str | None, typer.Option("--pack", metavar="PACK", help="A pack of `headshots packs list`.")]
Styles = Annotated[
    list[str] | None,
    typer.Option("--styles", "--style", metavar="STYLES", help="In place of --pack: styles, with commas between."),
]
Count = Annotated[int, typer.Option(min=1, max=160, help="Portraits in all.")]
Out = Annotated[Path, typer.Option("--out", file_okay=False, help="Folder for the images; made if missing.")]
Best = Annotated[
    int, typer.Option("--best", min=0, max=160, help="Save so many, the best, and none that is refused; 0: all.")
]
Name = Annotated[
    str | None, typer.Option("--name", help="With a folder: what the person is called. Default: the folder's name.")
]
ClassNoun = Annotated[str, typer.Option(help="With a folder: the foundation's word for the person: man, woman …")]
ProfileName = Annotated[
    str, typer.Option("--profile", metavar="PROFILE", help="What they must reach. Default: profile-worthy.")
]
MaxTries = Annotated[int, typer.Option(min=0, max=10, help="Seeds tried for each portrait; 0: the server's default.")]
Retrain = Annotated[bool, typer.Option("--retrain", metavar="", help="Train anew though there is an adapter.")]
Deadline = Annotated[
    datetime | None,
    typer.Option("--deadline", metavar="WHEN", parser=moment, help="Refuse what will be later: 45m, 2h, an ISO time."),
]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="The first seed.")]
FileFormat = Annotated[Format, typer.Option("--format", help="How the files are encoded.")]
Quality = Annotated[int, typer.Option(min=0, max=100, help="Of JPEG and WebP; 0: the server's default.")]
QuoteOnly = Annotated[
    bool, typer.Option("--quote", metavar="", help="Tell what it would take and when; order nothing.")
]
Detach = Annotated[bool, typer.Option("--detach", metavar="", help="Print the shoot's name and do not wait.")]
