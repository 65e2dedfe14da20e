"""Looks at a foundation and at the analyzer of faces."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from headshots.diffusion.foundations.foundation import Foundation, foundation_digest
from headshots.doctor.findings import Finding, ok, skipped, warning
from headshots.doctor.places import first_start_makes
from headshots.doctor.running import Check
from headshots.faces import open_analyzer
from headshots.settings import without_analyzer

if TYPE_CHECKING:
    # The gateway, which looks at the analyzer alone, lacks what they import.
    from headshots.diffusion.importing.ensure import Place
    from headshots.diffusion.importing.fusing.request import Fusion

SECONDS = 300.0
"""For reading every byte of a large model."""


def analyzer_check(service: str, name: str, folder: Path | None) -> Check:
    """Opens the analyzer that `FACES` of a service (gateway, trainer, generator) names, as its start does."""
    cure = (
        f"`headshots analyzers list` tells which there are; set HEADSHOTS_{service.upper()}_FACES and _FACES_DIR, or "
        "install its packages and files (docs/analyzers.md)"
    )
    return Check("analyzer", lambda: _analyzer(service, name, folder), cure, 60.0)


class FoundationLook:
    """A foundation as it is named, and its import where it has to be one, which the first start may have to make."""

    def __init__(self, name: Path, cache: Path, fuse: str = "", few_steps: str = "") -> None:
        """``cache``: folder of imported foundations; ``fuse``, ``few_steps``: the settings of what is fused into it."""
        self._name = name
        self._cache = cache
        self._fuse, self._few_steps = fuse, few_steps

    @property
    def checks(self) -> list[Check]:
        """Read the LoRA that are fused, where some are, then the foundation with every file of its digest."""
        cure = (
            "name a model of the Stable Diffusion 1.5 or SDXL family by HEADSHOTS_FOUNDATION, as a diffusers folder, a "
            "safetensors file or a hub's org/name@revision, or unset it for the bundled one"
        )
        if not self._is_fused:
            return [Check("foundation", self._look, cure, SECONDS)]
        of_lora = "correct HEADSHOTS_FUSE and HEADSHOTS_FEW_STEPS (docs/operations.md, Few steps)"
        return [
            Check("fused LoRA", self._look_at_loras, of_lora, SECONDS),
            Check("foundation", self._look, f"{cure}; of FUSE_…, {of_lora}", SECONDS),
        ]

    @cached_property
    def fusion(self) -> Fusion | None:
        """What is fused into it.

        Raises:
            HeadshotsError: as :func:`headshots.diffusion.importing.fusing.request.read_fusion`.
        """
        from headshots.diffusion.importing.fusing.request import read_fusion, separated

        return read_fusion(separated(self._fuse), self._few_steps)

    @cached_property
    def place(self) -> Place:
        """Where it is used.

        Raises:
            HeadshotsError: as :func:`headshots.diffusion.importing.ensure.find_place`.
        """
        from headshots.diffusion.importing.ensure import find_place

        return find_place(self._name, self._cache, self.fusion)

    def with_folder(self, then: Callable[[Path], Finding]) -> Finding:
        """What ``then`` finds in the foundation's folder; nothing before it is imported."""
        return then(self.place.folder) if self.place.is_there else skipped("the foundation is not imported yet")

    @property
    def _is_fused(self) -> bool:
        return bool(self._fuse or self._few_steps)

    def _look_at_loras(self) -> Finding:
        assert self.fusion is not None, "without files it is refused"
        names = ", ".join(f"{lora.path.name} with a strength of {lora.strength:g}" for lora in self.fusion.loras)
        return ok(f"{names}; sampled as {self.fusion.few_steps}")

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
