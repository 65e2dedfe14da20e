"""Defines `headshots foundation`, which imports foundations as they are found, and checks them on this machine."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headshots.cli.extras import require
from headshots.cli.foundations import FewSteps, Fuse, usable
from headshots.cli.options import FindLinks, Json, existing_folder
from headshots.console.exits import ExitCode, reported

if TYPE_CHECKING:
    from headshots.diffusion.importing.request import Imported, ImportOptions
    from headshots.diffusion.importing.single_file.vocabulary import Packages


class Prediction(StrEnum):
    """What a model's UNet predicts."""

    EPSILON = "epsilon"
    V_PREDICTION = "v_prediction"


def _named(value: str) -> Path:
    from headshots.diffusion.foundations.names import named

    return named(value)


app = typer.Typer(help="Foundations: import one as it is found, check one on this machine.", no_args_is_help=True)

Source = Annotated[
    Path,
    typer.Argument(
        parser=_named,
        metavar="SOURCE",
        help="A diffusers folder, whatever the layout of its weights; one safetensors file of the Stable Diffusion 1.5 "
        "or SDXL family; or either on a hub, as org/name, org/name@revision or org/name/file.safetensors@revision. "
        "What is here wins.",
    ),
]
Out = Annotated[Path, typer.Option("--out", file_okay=False, help="Folder that becomes the foundation.")]
Variant = Annotated[
    str | None,
    typer.Option(
        help="Of a folder whose parts have several files of weights, which to take: fp16, or '' for the plain ones. "
        "Default: the plain ones, else fp16."
    ),
]
Sha256 = Annotated[str, typer.Option(metavar="HEX", help="Of a single file: what its publisher says its SHA-256 is.")]
PredictionOf = Annotated[
    Prediction | None, typer.Option(help="Of a single file. Default: what its keys say, else epsilon.")
]
ZeroSnr = Annotated[
    bool | None,
    typer.Option(
        "--zero-terminal-snr/--no-zero-terminal-snr",
        help="Of a single file: whether it was taught to begin with noise alone. Default: what its keys say.",
        show_default=False,
    ),
]
Native = Annotated[
    int,
    typer.Option(
        "--native-size",
        min=0,
        max=4096,
        help="Of a single file: the side in pixels that it was trained for. 0: what its metadata says, else the "
        "family's, 512 or 1024.",
    ),
]
Sampler = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="What the headshots.yaml shall name: ddim, euler, euler_ancestral, dpmpp_2m, dpmpp_2m_sde, lcm or tcd. "
        "Needed where the model's scheduler has no table here, as PNDM. Default: its scheduler's own.",
        show_default=False,
    ),
]


@app.command("import")
@reported
def import_(
    source: Source,
    out: Out,
    variant: Variant = None,
    sha256: Sha256 = "",
    prediction: PredictionOf = None,
    zero_terminal_snr: ZeroSnr = None,
    native_size: Native = 0,
    sampler: Sampler = "",
    fuse: Fuse = None,
    few_steps: FewSteps = "",
    find_links: FindLinks = None,
    as_json: Json = False,
) -> None:
    """Make a folder that trains, exports and paints of a model as it is found, and print it.

    Nothing is done where it is there already; an import that was stopped goes on where it was. Pickled weights and
    other kinds of models are refused by name. A single file needs CLIP's vocabulary, which a package of the index
    carries. A hub's model goes through the cache of huggingface_hub: HF_TOKEN, HF_HUB_OFFLINE, HF_ENDPOINT and HF_HOME
    mean what they mean there.

    As in: headshots foundation import ~/Downloads/realistic-xl.safetensors --out /models/realistic-xl
    """
    require("foundation import", "export")
    from headshots.diffusion.importing.fusing.request import read_fusion
    from headshots.diffusion.importing.request import ImportOptions
    from headshots.diffusion.importing.single_file.vocabulary import Packages

    kind = "" if prediction is None else prediction.value
    fusion = read_fusion(fuse or (), few_steps)
    options = ImportOptions(variant, sha256, kind, zero_terminal_snr, native_size, sampler, fusion)
    packages = Packages([existing_folder(folder) for folder in find_links or ()], os.environ)
    _print(_import(source, out, options, packages), as_json=as_json)


def _import(source: Path, out: Path, options: ImportOptions, packages: Packages) -> Imported:
    """What was made, with a bar on the terminal meanwhile."""
    from headshots.console.output import progress_bars
    from headshots.diffusion.importing.importer import import_foundation

    with progress_bars() as bars:
        bar = bars.add_task("importing", total=1.0, count="", detail="")

        def show(what: str, share: float) -> None:
            bars.update(bar, completed=share, count=f"{100 * share:.0f} %", detail=what)

        return import_foundation(source, out, options, show, packages)


def _print(imported: Imported, *, as_json: bool) -> None:
    from headshots.console.output import note_lines, print_json

    if as_json:
        notes = list(imported.notes)
        print_json({"foundation": str(imported.folder), "imported": imported.is_new, "notes": notes})
        return
    typer.echo(imported.folder)
    for said in imported.notes if imported.is_new else ("it was imported already",):
        note_lines(said)


class Provider(StrEnum):
    """What runs the engine."""

    CPU = "cpu"
    CUDA = "cuda"
    TENSORRT = "tensorrt"
    TENSORRT_RTX = "tensorrt-rtx"


Package = Annotated[
    Path | None,
    typer.Option(
        "--package",
        file_okay=False,
        help="The engine package, as of `headshots export`. Default: the one in the home, exported first where it is "
        "not there.",
    ),
]


@app.command()
@reported
def check(
    foundation: Annotated[Path, typer.Argument(parser=_named, metavar="SOURCE", help="A foundation as it is found.")],
    package: Package = None,
    provider: Annotated[Provider, typer.Option(help="What runs the engine.")] = Provider.CPU,
    device: Annotated[int, typer.Option(min=0, help="Number of the GPU.")] = 0,
    steps: Annotated[int, typer.Option(min=0, max=150, help="Of the sampler. 0: the foundation's.")] = 0,
    at_least: Annotated[
        float,
        typer.Option(min=0, metavar="DB", help="What every stage must reach. 0: 60 for fp32 packages, 30 for fp16."),
    ] = 0.0,
    as_json: Json = False,
) -> None:
    """Paint the same by stock diffusers and by the engine, and compare: the proof that this machine paints rightly.

    One prompt and one noise, without an adapter and with a random one. Ends with 1 where a stage differs, and names it.
    """
    require("foundation check", "export", "generator")
    from headshots.cli.check_printing import print_report
    from headshots.console.output import note
    from headshots.diffusion.checking.check import LEAST_DB, check_foundation
    from headshots.diffusion.checking.painting import Task
    from headshots.diffusion.foundations.foundation import Foundation
    from headshots.diffusion.package import EnginePackage

    foundation = usable(foundation)
    described = Foundation.read(foundation)
    engine = EnginePackage.read(package or _exported(foundation))
    task = Task(
        str(foundation.absolute()),
        str(engine.folder.absolute()),
        provider.value,
        device,
        steps or described.steps,
        "",
    )
    report = check_foundation(task, at_least or LEAST_DB[engine.precision], note)
    print_report(report, as_json=as_json)
    if not report.passed:
        raise typer.Exit(ExitCode.FAILED)


def _exported(foundation: Path) -> Path:
    """The package in the home, which is made where it is not there."""
    from headshots.cli.commands.models.export import exported
    from headshots.diffusion.export.options import ExportOptions

    return exported(foundation, None, None, ExportOptions(), None)
