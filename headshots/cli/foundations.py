"""Finds the folder of the foundation that a command is given, imported first where it must be."""

from __future__ import annotations

import os
from pathlib import Path


def usable(foundation: Path) -> Path:
    """The folder of a foundation that is named as it was found, with a bar on the terminal while it is imported.

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

        return usable_foundation(foundation, cache, os.environ, show, note)
