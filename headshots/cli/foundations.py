"""Finds the foundation that a command names: a folder, imported first where it must be, or one of a gateway's.

What several commands print of guidance is worded here too.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from headshots.client import Foundation, Headshots, ShootOptions
    from headshots.diffusion.importing.fusing.request import Fusion

Served = Annotated[
    str | None,
    typer.Option(
        "--foundation", metavar="FOUNDATION", help="Of `headshots foundations list`. Default: the installation's."
    ),
]
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
        foundation: a folder, a file, or what a hub calls one.
        fusion: LoRA that are folded into it.

    Raises:
        HeadshotsError: as :func:`headshots.diffusion.importing.ensure.usable_foundation`.
    """
    from headshots.console.output import note, progress_bars
    from headshots.diffusion.importing.ensure import usable_foundation
    from headshots.settings import Home

    cache = Home.from_environment(os.environ).foundations
    with progress_bars() as bars:
        bar = bars.add_task("importing", total=1.0, count="", detail="", visible=False)

        def show(what: str, share: float) -> None:
            bars.update(bar, completed=share, count=f"{100 * share:.0f} %", detail=what, visible=True)

        return usable_foundation(foundation, cache, os.environ, show, note, fusion)


def found(client: Headshots, wanted: str) -> Foundation:
    """The one foundation of a gateway that has this display name, or whose digest is or begins with this.

    Raises:
        NotFoundError: FOUNDATION_NOT_FOUND, none or several have.
    """
    from headshots.errors import NotFoundError

    digits = wanted.removeprefix("foundations/")
    foundations = list(client.list_foundations())
    fits = [each for each in foundations if each.display_name == wanted or (digits and each.digest.startswith(digits))]
    if len(fits) == 1:
        return fits[0]
    known = "; ".join(f"{each.display_name} ({each.digest[:12]})" for each in foundations)
    what = "several foundations are" if fits else "no foundation is"
    raise NotFoundError("FOUNDATION_NOT_FOUND", f"{what} called {wanted!r}; there are: {known}")


def name_of(client: Headshots, wanted: str | None) -> str:
    """The name of :func:`found`; empty where nothing is wanted."""
    return found(client, wanted).name if wanted else ""


def on(client: Headshots, options: ShootOptions, wanted: str | None) -> ShootOptions:
    """Options of a shoot on the foundation that is wanted. Raises as :func:`found`."""
    return dataclasses.replace(options, foundation=name_of(client, wanted)) if wanted else options


def styles_for(foundation: Path) -> Path:
    """The folder of built-in styles that fit a foundation; one that has to be imported first knows any words."""
    from headshots.errors import HeadshotsError
    from headshots.styles.folders import fitting_styles

    vocabulary: tuple[str, ...] = ()
    # What is wrong with it the services tell, and which packages are missing.
    with contextlib.suppress(HeadshotsError, ModuleNotFoundError):
        from headshots.diffusion.foundations.foundation import Foundation

        vocabulary = Foundation.read(foundation).vocabulary
    return fitting_styles(vocabulary)


def guidance_text(scale: float, interval: tuple[float, float] | None) -> str:
    """Guidance for people, with its interval where that is not all of the noise schedule."""
    if interval is None or interval == (0.0, 1.0):
        return f"{scale:g}"
    return f"{scale:g}, {interval_text(interval)}"


def interval_text(interval: tuple[float, float]) -> str:
    """An interval of guidance for people."""
    return "from {:g} to {:g} of the noise schedule".format(*interval)
