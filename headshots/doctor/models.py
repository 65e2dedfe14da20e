"""Looks at a foundation and at the analyzer of faces."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from headshots.diffusion.foundations.foundation import Foundation, foundation_digest
from headshots.diffusion.importing.ensure import Place, find_place
from headshots.doctor.findings import Finding, ok, skipped, warning
from headshots.doctor.places import first_start_makes
from headshots.doctor.running import Check
from headshots.faces import open_analyzer
from headshots.settings import without_analyzer

SECONDS = 300.0
"""For reading every byte of a large model."""


def analyzer_check(service: str, name: str, folder: Path | None) -> Check:
    """Opens the analyzer that `FACES` of a service (gateway, trainer) names, as its start does."""
    cure = (
        f"`headshots analyzers list` tells which there are; set HEADSHOTS_{service.upper()}_FACES and _FACES_DIR, or "
        "install its packages and files (docs/analyzers.md)"
    )
    return Check("analyzer", lambda: _analyzer(service, name, folder), cure, 60.0)


class FoundationLook:
    """A foundation as it is named, and its import where it has to be one, which the first start may have to make."""

    def __init__(self, name: Path, cache: Path) -> None:
        """``cache``: folder of imported foundations."""
        self._name = name
        self._cache = cache

    @property
    def check(self) -> Check:
        """Reads the foundation and every file that its digest is made of."""
        cure = (
            "name a model of the Stable Diffusion 1.5 or SDXL family by HEADSHOTS_FOUNDATION, as a diffusers folder, a "
            "safetensors file or a hub's org/name@revision, or unset it for the bundled one"
        )
        return Check("foundation", self._look, cure, SECONDS)

    @cached_property
    def place(self) -> Place:
        """Where it is used.

        Raises:
            HeadshotsError: as :func:`headshots.diffusion.importing.ensure.find_place`.
        """
        return find_place(self._name, self._cache)

    def with_folder(self, then: Callable[[Path], Finding]) -> Finding:
        """What ``then`` finds in the foundation's folder; nothing before it is imported."""
        return then(self.place.folder) if self.place.is_there else skipped("the foundation is not imported yet")

    def _look(self) -> Finding:
        if self.place.is_there:
            return _foundation(self.place.folder)
        return first_start_makes(self.place.folder, f"the import of {self._name}, which takes minutes,")


def _analyzer(service: str, name: str, folder: Path | None) -> Finding:
    if open_analyzer(name, folder) is None:
        effects, _, cure = without_analyzer(service).partition(". ")
        return warning(effects, cure)
    return ok(f"{name} can be opened")


def _foundation(folder: Path) -> Finding:
    found = Foundation.read(folder)
    return ok(f"{found.name} ({found.family}), digest {foundation_digest(folder)[:12]}…: {folder}")
