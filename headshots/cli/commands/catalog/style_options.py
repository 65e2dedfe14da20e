"""Defines the options that say what a style is."""

from __future__ import annotations

from typing import Annotated

import typer

from headshots.cli.options import LARGEST

StyleName = Annotated[str, typer.Argument(metavar="STYLE", help="As `styles list` shows it.")]
Outfit = Annotated[str | None, typer.Option(help="What the person wears.")]
Backdrop = Annotated[str | None, typer.Option(help="What is behind them.")]
Lighting = Annotated[str | None, typer.Option(help="How they are lit.")]
Framing = Annotated[str | None, typer.Option(help="How much of them is seen, e.g. headshot.")]
Expression = Annotated[str | None, typer.Option(help="How they look, e.g. 'warm smile'.")]
Prompt = Annotated[str | None, typer.Option(help="A whole prompt with {subject} once, in place of the words above.")]
Negative = Annotated[str | None, typer.Option("--negative-prompt", help="What images are led away from.")]
Guidance = Annotated[float | None, typer.Option(min=0, max=30, help="Guidance. Default: the foundation's.")]
Interval = Annotated[
    tuple[float, float] | None,
    typer.Option("--guidance-interval", metavar="LOW HIGH", help="Where in the noise schedule there is guidance."),
]
Steps = Annotated[int | None, typer.Option(min=0, max=150, help="Denoising steps. Default: the foundation's.")]
Width = Annotated[int | None, typer.Option(min=0, max=LARGEST, help="Width in pixels. Default: the foundation's.")]
Height = Annotated[int | None, typer.Option(min=0, max=LARGEST, help="Height in pixels. Default: the foundation's.")]
DisplayName = Annotated[str | None, typer.Option("--name", help="For people; at most 256 characters.")]
Description = Annotated[str | None, typer.Option(help="One sentence.")]
ValidateOnly = Annotated[bool, typer.Option("--validate-only", metavar="", help="Check everything, keep nothing.")]
