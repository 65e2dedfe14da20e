"""Chooses the analyzer that the demo's services look at faces with, and brings the one for real people."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from headshots.demo.choices import is_bundled
from headshots.settings import Home


@dataclass(frozen=True)
class Analyzer:
    """One of `headshots.faces.ANALYZERS`, and its folder where it is one that is installed."""

    name: str
    folder: Path | None = None


def choose(foundation: Path, wanted: str | None, stage: Callable[[], AbstractContextManager[object]]) -> Analyzer:
    """`bundled` with the bundled foundation, else `wanted`, else `people`, which is installed where it is missing.

    The demo has a home of its own: what it installs goes into the user's, for the next run.

    Args:
        foundation: the demo's.
        wanted: `people`, `none`, or None.
        stage: entered while the analyzer is installed.

    Raises:
        FailedPreconditionError: as `install`.
    """
    if is_bundled(foundation) and wanted is None:
        return Analyzer("bundled")
    if wanted == "none":
        return Analyzer("none")
    from headshots.faces.people.files import is_whole
    from headshots.faces.people.installing.install import install

    folder = Home.from_environment(os.environ).analyzer("people")
    if not is_whole(folder):
        with stage():
            install(folder, [], os.environ, lambda line: None)
    return Analyzer("people", folder)
