"""Defines the options of `headshots looks`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from headshots.client import Frame, LookOptions


class Seeds(StrEnum):
    """Which seeds members are painted from."""

    SAME = "same"
    VARIED = "varied"


LookName = Annotated[str, typer.Argument(metavar="LOOK", help="As `looks list` shows it.")]
_STYLE_HELP = "A style that members are painted in; may be repeated, 8 at most."
Styles = Annotated[list[str], typer.Option("--style", metavar="STYLE", help=_STYLE_HELP)]
NewStyles = Annotated[
    list[str] | None, typer.Option("--style", metavar="STYLE", help=f"{_STYLE_HELP} In place of all that it has.")
]
Size = Annotated[str, typer.Option(metavar="WxH", help="Of a portrait in pixels, as 480x600; each 64 to 2048.")]
NewSize = Annotated[str | None, typer.Option("--size", metavar="WxH", help="Of a portrait in pixels, as 480x600.")]
_FOLLOWS = "Default: what fits the default foundation (`headshots foundations show`)"
_EYE_LINE_HELP = f"From the upper edge to the eyes, share of the height. {_FOLLOWS}; 0.45 where that tells no heads."
EyeLine = Annotated[float | None, typer.Option(min=0.1, max=0.9, help=_EYE_LINE_HELP)]
_HEAD_HELP = f"From chin to crown, share of the height; the crown may be cut by 15 %. {_FOLLOWS}; else 0.72."
HeadHeight = Annotated[float | None, typer.Option(min=0.1, max=1.0, help=_HEAD_HELP)]
Portraits = Annotated[int | None, typer.Option(min=0, max=32, help="Of each member; in a new look one for each style.")]
Profile = Annotated[str | None, typer.Option(help="What judges portraits; in a new look profile-worthy.")]
SeedPolicyName = Annotated[
    Seeds | None, typer.Option("--seeds", help="The same for all members, or others for each; in a new look the same.")
]
Seed = Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="The first seed; in a new look 0.")]
MaxTries = Annotated[int | None, typer.Option(min=0, max=10, help="Seeds for each portrait; in a new look 3.")]
MaxRepaints = Annotated[
    int | None, typer.Option(min=0, max=5, help="How often a portrait that falls out is painted anew; in a new look 3.")
]
DisplayName = Annotated[str | None, typer.Option("--name", help="For people; at most 256 characters.")]
Description = Annotated[str | None, typer.Option(help="One sentence.")]
ValidateOnly = Annotated[bool, typer.Option("--validate-only", metavar="", help="Check everything, keep nothing.")]


def frame(size: str, eye_line: float | None, head_height: float | None) -> Frame:
    """The frame, of WxH and what is told of the head.

    Raises:
        typer.BadParameter: it is no size.
    """
    from headshots.client import Frame

    width, _, height = size.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise typer.BadParameter(f"{size!r} is no WxH in pixels, as 480x600", param_hint="--size")
    return Frame(int(width), int(height), eye_line, head_height)


def look_options(
    portraits: int | None,
    profile: str | None,
    seeds: Seeds | None,
    seed: int | None,
    max_tries: int | None,
    max_repaints: int | None,
) -> LookOptions:
    """What is told of a look beside its styles and its frame."""
    from headshots.client import LookOptions, SeedPolicy

    policy = None if seeds is None else SeedPolicy(seeds.upper())
    return LookOptions(portraits, profile, policy, seed, max_tries, max_repaints)
