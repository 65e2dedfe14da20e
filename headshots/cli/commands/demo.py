"""Defines `headshots demo`, which runs the whole job on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from headshots.cli.extras import require, require_services
from headshots.cli.foundations import FewSteps, Fuse, fusion_of, usable
from headshots.cli.options import Foundation, existing_folder
from headshots.console.exits import reported

if TYPE_CHECKING:
    from headshots.diffusion.importing.fusing.request import Fusion

Photos = Annotated[
    Path | None,
    typer.Option(
        "--photos",
        parser=existing_folder,
        metavar="DIRECTORY",
        help="Folder of selfies. Real people need a real --foundation. Default: a sample person's.",
    ),
]


Faces = Annotated[
    Literal["people", "none"] | None,
    typer.Option(
        help="Analyzer of faces. Default: with a --foundation the one for real people, brought from the package index "
        "where it is not installed (170 MB). `none` looks at nobody's face.",
    ),
]

Library = Annotated[
    Path | None,
    typer.Option(
        "--style-library",
        envvar="HEADSHOTS_GATEWAY_STYLES",
        exists=True,
        file_okay=False,
        help="Folder of styles. Default: the built-in ones that fit the foundation.",
    ),
]
Engines = Annotated[
    Path, typer.Option("--engines", file_okay=False, help="Folder that keeps engine packages for the next run.")
]


@reported
def demo(
    photos: Photos = None,
    foundation: Foundation = None,
    fuse: Fuse = None,
    few_steps: FewSteps = "",
    out: Annotated[Path, typer.Option("--out", file_okay=False, help="Folder for the results.")] = Path("out/demo"),
    person: Annotated[int, typer.Option(min=0, help="Which of the sample people, who never existed.")] = 7,
    class_noun: Annotated[
        str, typer.Option(help="With --photos: the word the foundation knows such a person by: man, woman, person …")
    ] = "person",
    faces: Faces = None,
    style: Annotated[list[str] | None, typer.Option("--style", help="Styles to paint; may be repeated.")] = None,
    library: Library = None,
    engines: Engines = Path("out/engines"),
    shots: Annotated[int, typer.Option(min=1, max=8, help="Shots of each style.")] = 4,
) -> None:
    """Start the three services, teach them a person, paint a gallery, a remix and a team, and stop what was started.

    Leaves gallery.html, portraits/, contact-sheet.png and report.json; logs are in logs/. Ctrl-C once the
    portraits are there leaves what was finished; before, the gallery of the last run.
    """
    require_services("demo")
    require("demo", "demo")
    from headshots.demo.job import run_demo
    from headshots.demo.options import DemoOptions

    options = DemoOptions(
        out=out,
        engines=engines,
        photos=photos,
        foundation=found_as(foundation, fusion_of(fuse, few_steps)),
        foundation_name=str(foundation or ""),
        person=person,
        faces=faces,
        class_noun=class_noun,
        styles=style or (),
        style_library=library,
        shots_per_style=shots,
    )
    raise typer.Exit(run_demo(options))


def found_as(foundation: Path | None, fusion: Fusion | None) -> Path | None:
    """The folder to demonstrate; None: the bundled one as it is."""
    from headshots.settings import default_foundation

    if foundation is None and fusion is None:
        return None
    return usable(foundation or default_foundation(), fusion)
