"""Looks at a foundation and at the analyzer of faces."""

from __future__ import annotations

from pathlib import Path

from headshots.diffusion.foundations.foundation import Foundation, foundation_digest
from headshots.diffusion.importing.fusing.request import read_fusion, separated
from headshots.doctor.findings import Finding, ok, warning
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


def foundation_check(folder: Path) -> Check:
    """Reads the foundation and every file that its digest is made of."""
    cure = (
        "name a diffusers folder of the Stable Diffusion 1.5 or SDXL family by HEADSHOTS_FOUNDATION, or unset it for "
        "the bundled one"
    )
    return Check("foundation", lambda: _foundation(folder), cure, SECONDS)


def fusion_check(fuse: str, few_steps: str) -> list[Check]:
    """Reads the LoRA files that ``FUSE`` and ``FEW_STEPS`` have folded into the foundation; no check without any."""
    cure = "correct HEADSHOTS_FUSE and HEADSHOTS_FEW_STEPS (docs/operations.md, Few steps)"
    return [Check("fused LoRA", lambda: _fusion(fuse, few_steps), cure, SECONDS)] if fuse or few_steps else []


def _fusion(fuse: str, few_steps: str) -> Finding:
    fusion = read_fusion(separated(fuse), few_steps)
    assert fusion is not None, "without files it is refused"
    names = ", ".join(f"{lora.path.name} with a strength of {lora.strength:g}" for lora in fusion.loras)
    return ok(f"{names}; sampled as {fusion.few_steps}")


def _analyzer(service: str, name: str, folder: Path | None) -> Finding:
    if open_analyzer(name, folder) is None:
        effects, _, cure = without_analyzer(service).partition(". ")
        return warning(effects, cure)
    return ok(f"{name} can be opened")


def _foundation(folder: Path) -> Finding:
    found = Foundation.read(folder)
    return ok(f"{found.name} ({found.family}), digest {foundation_digest(folder)[:12]}…: {folder}")
