"""Defines the options of `headshots shoot`, and reads those that say which portraits, until when and for how long."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headshots.cli.options import Urgency

if TYPE_CHECKING:
    from headshots.client import ImageFormat, Priority, ShootOptions

OUT = Path("portraits")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Format(StrEnum):
    """File formats by the names that people give them."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"


class Seeds(StrEnum):
    """Whether styles have seeds of their own, by the names that people give it."""

    VARIED = "varied"
    SAME = "same"


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


def refuse_passed(deadline: datetime | None) -> None:
    """Returns where a deadline is ahead, or there is none.

    Raises:
        typer.BadParameter: the deadline is in the past.
    """
    if deadline is not None and deadline <= datetime.now(UTC):
        raise typer.BadParameter(f"{deadline:%Y-%m-%d %H:%M:%S} has passed; name a later time", param_hint="--deadline")


def span(value: str) -> int:
    """`45m`, `2h` or `90d` in seconds.

    Raises:
        typer.BadParameter: it is none of these.
    """
    if (found := re.fullmatch(r"(\d{1,9})([smhd])", value.strip())) is None:
        raise typer.BadParameter(f"{value!r} is no span of time: 2h, 90d")
    return int(found[1]) * _SECONDS[found[2]]


def span_or_zero(value: str) -> int:
    """The same, or `0`. Raises as `span`."""
    return 0 if value.strip() == "0" else span(value)


def span_shown(seconds: int) -> str:
    """Seconds as people write them: `12h`, `30d`."""
    unit = next(name for name in ("d", "h", "m", "s") if seconds % _SECONDS[name] == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"


def painting(file_format: Format, quality: int, urgency: Urgency) -> tuple[ImageFormat, int, Priority]:
    """How images are painted, in the SDK's words."""
    from headshots.client import ImageFormat, Priority

    return ImageFormat(file_format.name), quality, Priority(urgency.name)


def gallery_painting(
    style_seeds: Seeds, files: tuple[Format, int, Urgency], remix: tuple[str | None, float]
) -> dict[str, Any]:
    """How images are painted, in the SDK's words."""
    from headshots.client import Remix, StyleSeeds

    file_format, quality, priority = painting(*files)
    over, repaint = remix
    return {
        "style_seeds": StyleSeeds(style_seeds.name),
        "format": file_format,
        "quality": quality,
        "priority": priority,
        "remix": Remix(over, repaint) if over is not None else None,
    }


def how(
    retrain: bool,
    profile: str,
    max_tries: int,
    seed: int,
    files: tuple[Format, int, Urgency],
    deadline: datetime | None,
    allow_unjudged: bool,
) -> ShootOptions:
    """What a shoot leaves to the server unless it is said, in the SDK's words."""
    from headshots.client import ShootOptions

    return ShootOptions((), retrain, profile, max_tries, seed, *painting(*files), deadline, allow_unjudged)


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
MaxTries = Annotated[
    int, typer.Option(min=0, max=10, help="Seeds for each portrait; all share them. 0: the server's default.")
]
Retrain = Annotated[bool, typer.Option("--retrain", metavar="", help="Train anew though there is an adapter.")]
Deadline = Annotated[
    datetime | None,
    typer.Option(
        "--deadline",
        metavar="WHEN",
        parser=moment,
        help="Refuse what would be later, once measured: 45m, 2h, an ISO time.",
    ),
]
Keep = Annotated[
    int | None,
    typer.Option("--keep", metavar="SPAN", parser=span, help="After each delivery: 12h, 90d. Default: the tenant's."),
]
KeepPhotos = Annotated[
    int | None,
    typer.Option(
        "--keep-photos",
        metavar="SPAN",
        parser=span_or_zero,
        help="Photos, after a delivery: 0, 12h, 7d. Default: the tenant's.",
    ),
]
AllowUnjudged = Annotated[
    bool, typer.Option("--allow-unjudged", metavar="", help="Paint though the photos are gone and nothing is judged.")
]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="The first seed.")]
StyleSeeds = Annotated[
    Seeds, typer.Option("--style-seeds", help="varied: styles differ in pose too; same: each from --seed itself.")
]
Html = Annotated[
    bool, typer.Option("--html", metavar="", help="Write a page of the images as well, beside them, for a browser.")
]
FileFormat = Annotated[Format, typer.Option("--format", help="How the files are encoded.")]
Quality = Annotated[int, typer.Option(min=0, max=100, help="Of JPEG and WebP; 0: the server's default.")]
QuoteOnly = Annotated[
    bool, typer.Option("--quote", metavar="", help="Tell what it would take and when; order nothing.")
]
Detach = Annotated[bool, typer.Option("--detach", metavar="", help="Print the shoot's name and do not wait.")]


def past(value: str) -> datetime:
    """`2h` or `7d` ago, or an ISO 8601 time, of this machine's zone where it names none.

    Raises:
        typer.BadParameter: it is neither, or too long ago.
    """
    if re.fullmatch(r"\d+[smhd]", value.strip()) is None:
        return moment(value)
    try:
        return datetime.now().astimezone() - timedelta(seconds=span(value))
    except OverflowError as error:
        raise typer.BadParameter(f"{value!r} ago is before all times") from error
