"""`headshots export`: a foundation's engine package."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from headshots.cli.exits import reported
from headshots.cli.options import Foundation, Json


class Precision(StrEnum):
    """Number format of the exported weights and arithmetic."""

    FP32 = "fp32"
    FP16 = "fp16"


@reported
def export(
    foundation: Foundation = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", file_okay=False, help="Folder that packages are kept in. Default: engines in the home."),
    ] = None,
    max_rank: Annotated[int, typer.Option(min=0, max=128, help="Largest LoRA rank; 0: the foundation's recipe.")] = 0,
    slots: Annotated[int, typer.Option(min=2, max=1024, help="Adapters resident at once, and one for none.")] = 16,
    max_rows: Annotated[int, typer.Option(min=2, max=256, help="Rows of a UNet call, at most.")] = 16,
    precision: Annotated[Precision, typer.Option(help="Number format.")] = Precision.FP32,
    as_json: Json = False,
) -> None:
    """Write the engine package of a foundation, unless it is there already, and print its folder."""
    from headshots.cli.output import print_json, progress_bars
    from headshots.diffusion.export import ExportOptions, ensure_package_in_child
    from headshots.settings import Home, default_foundation

    options = ExportOptions(max_rank=max_rank, slots=slots, max_rows=max_rows, precision=precision.value)
    with progress_bars() as bars:
        bar = bars.add_task("exporting", total=1.0, count="", detail="")

        def show(stage: str, share: float) -> None:
            bars.update(bar, completed=share, count=f"{100 * share:.0f} %", detail=stage)

        package = ensure_package_in_child(
            foundation or default_foundation(), out or Home.from_environment(os.environ).engines, options, show
        )
    if as_json:
        print_json({"package": str(package)})
    else:
        typer.echo(package)
