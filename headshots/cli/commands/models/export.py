"""Defines `headshots export`, which makes the engine package of a foundation."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headshots.cli.extras import require
from headshots.cli.foundations import FewSteps, Fuse, fusion_of, usable
from headshots.cli.options import Foundation, Json
from headshots.console.exits import ExitCode, reported

if TYPE_CHECKING:
    from headshots.diffusion.export.options import ExportOptions
    from headshots.diffusion.importing.fusing.request import Fusion
    from headshots.diffusion.tensorrt.check import Finding


class Precision(StrEnum):
    """Number format of the exported weights and arithmetic."""

    FP32 = "fp32"
    FP16 = "fp16"


Out = Annotated[
    Path | None, typer.Option("--out", file_okay=False, help="Folder that becomes the package.", show_default=False)
]
Engines = Annotated[
    Path | None,
    typer.Option(
        "--engines", file_okay=False, help="Instead of --out: folder of many packages. Default: engines in the home."
    ),
]
MaxRank = Annotated[
    int,
    typer.Option(min=0, max=128, help="Largest LoRA rank that fits; 0: the foundation's recipe's, else 16."),
]
Slots = Annotated[int, typer.Option(min=2, max=1024, help="Adapters resident at once, and one slot for none.")]
MaxRows = Annotated[
    int, typer.Option(min=2, max=256, help="Rows of a UNet call, at most; an image with guidance takes two.")
]
Sizes = Annotated[
    list[str] | None,
    typer.Option(
        "--size",
        metavar="WxH",
        help="A size in pixels that the package is for; repeat for more. All between the smallest and the largest are "
        "taken, the first is tuned for. Default: the native size.",
    ),
]
CheckTensorrt = Annotated[
    bool,
    typer.Option(
        "--check-tensorrt",
        help="Check every node against what TensorRT's parser takes; name what it would refuse, and exit with 1 then.",
    ),
]
TensorrtRtx = Annotated[
    str,
    typer.Option(
        "--tensorrt-rtx",
        metavar="sm89,sm120",
        help="Also build engines of TensorRT for RTX for GPUs of these kinds, as sm89 (L4, RTX 40) or sm120 (RTX 50); "
        "docs/operations.md has all. Builds on the CPU, without a GPU, and needs the extra tensorrt-rtx.",
    ),
]
BuildMemory = Annotated[
    float,
    typer.Option("--build-memory-gb", help="Gigabytes that the process which builds engines may take."),
]


@reported
def export(
    foundation: Foundation = None,
    fuse: Fuse = None,
    few_steps: FewSteps = "",
    out: Out = None,
    engines: Engines = None,
    precision: Annotated[Precision, typer.Option(help="Of the UNet and the bank.")] = Precision.FP32,
    max_rank: MaxRank = 0,
    slots: Slots = 16,
    max_rows: MaxRows = 16,
    size: Sizes = None,
    tensorrt_rtx: TensorrtRtx = "",
    build_memory_gb: BuildMemory = 12.0,
    check_tensorrt: CheckTensorrt = False,
    as_json: Json = False,
) -> None:
    """Write the engine package of a foundation, unless it is there already, and print its folder.

    As in: headshots export --foundation /models/sd15 --out /engines/sd15 --precision fp16 --size 512x512 --size 512x768
    """
    require("export", "export")
    from headshots.diffusion.export.options import ExportOptions, parse_sizes
    from headshots.diffusion.tensorrt.rtx.targets import parse_targets

    if out is not None and engines is not None:
        raise typer.BadParameter("name a package with --out or a folder of packages with --engines, not both")
    sizes = parse_sizes(",".join(size or ()))
    targets = parse_targets(tensorrt_rtx)
    if targets:
        require("export --tensorrt-rtx", "export", "tensorrt-rtx")
    options = ExportOptions(max_rank, slots, max_rows, precision.value, sizes, targets, build_memory_gb)
    package = exported(foundation, out, engines, options, fusion_of(fuse, few_steps))
    findings = _check(package) if check_tensorrt else None
    _print(package, findings, as_json=as_json)
    if findings:
        raise typer.Exit(ExitCode.FAILED)


def exported(
    foundation: Path | None, out: Path | None, engines: Path | None, options: ExportOptions, fusion: Fusion | None
) -> Path:
    """The package's folder, with a bar on the terminal while it is made."""
    from headshots.console.output import progress_bars
    from headshots.diffusion.export.ensure import ensure_package_in_child, export_to_in_child
    from headshots.settings import Home, default_foundation

    source = usable(foundation or default_foundation(), fusion)
    with progress_bars() as bars:
        bar = bars.add_task("exporting", total=1.0, count="", detail="")

        def show(stage: str, share: float) -> None:
            bars.update(bar, completed=share, count=f"{100 * share:.0f} %", detail=stage)

        if out is not None:
            return export_to_in_child(source, out, options, show)
        return ensure_package_in_child(source, engines or Home.from_environment(os.environ).engines, options, show)


def _check(package: Path) -> list[Finding]:
    from headshots.diffusion.package import EnginePackage
    from headshots.diffusion.tensorrt.check import check_package

    return check_package(EnginePackage.read(package))


def _print(package: Path, findings: list[Finding] | None, *, as_json: bool) -> None:
    """What was made, and what TensorRT would not take; None: not asked."""
    from headshots.console.output import fitted, note, print_json

    if as_json:
        checked = {} if findings is None else {"tensorrt": [finding.to_json() for finding in findings]}
        print_json({"package": str(package), **checked})
        return
    typer.echo(package)
    for finding in findings or ():
        typer.echo(fitted(f"TensorRT would not take {finding}", err=True), err=True)
    if findings == []:
        note("TensorRT's parser takes every node of every graph, by its published operator table; no engine was built")
