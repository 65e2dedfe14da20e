"""Finds the folder of the foundation that a command is given, imported first where it must be."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from headshots.diffusion.importing.fusing.request import Fusion

Fuse = Annotated[
    list[str] | None,
    typer.Option(
        "--fuse",
        metavar="FILE[@STRENGTH]",
        help="A LoRA, as safetensors file, that is folded into the foundation's weights: one that makes few steps "
        "enough (Lightning, Hyper-SD, DMD2, LCM, TCD), or any other; may be repeated. The result is another "
        "foundation, with adapters of its own. Default: HEADSHOTS_FUSE, with commas between them.",
        show_default=False,
    ),
]
FewSteps = Annotated[
    str,
    typer.Option(
        "--few-steps",
        metavar="KIND",
        help="Which kind of few-step LoRA is among them, as lightning-4, or none: it sets sampler, steps and guidance. "
        "Default: HEADSHOTS_FEW_STEPS, else what the file's metadata say.",
    ),
]


def fusion_of(fuse: Sequence[str] | None, few_steps: str) -> Fusion | None:
    """What the options name, else their variables.

    Raises:
        InvalidArgumentError: as :func:`headshots.diffusion.importing.fusing.request.read_fusion`.
    """
    from headshots.diffusion.importing.fusing.request import read_fusion, separated

    named = fuse if fuse is not None else separated(os.environ.get("HEADSHOTS_FUSE", ""))
    return read_fusion(named, few_steps or os.environ.get("HEADSHOTS_FEW_STEPS", ""))


def usable(foundation: Path, fusion: Fusion | None = None) -> Path:
    """The folder of a foundation that is named as it was found, with a bar on the terminal while it is imported.

    Args:
        foundation: a folder or a file.
        fusion: LoRA that are folded into it.

    Raises:
        HeadshotsError: as :func:`headshots.diffusion.importing.ensure.usable_foundation`.
    """
    from headshots.console.output import progress_bars
    from headshots.diffusion.importing.ensure import usable_foundation
    from headshots.settings import Home

    cache = Home.from_environment(os.environ).foundations
    with progress_bars() as bars:
        bar = bars.add_task("importing", total=1.0, count="", detail="", visible=False)

        def show(what: str, share: float) -> None:
            bars.update(bar, completed=share, count=f"{100 * share:.0f} %", detail=what, visible=True)

        return usable_foundation(foundation.absolute(), cache, os.environ, show, fusion)
