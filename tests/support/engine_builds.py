"""Builds engines of a whole package, as an export does, without exporting again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from headshots.diffusion.package import EnginePackage
from headshots.diffusion.tensorrt.rtx.building import Built, build_engines

TARGETS = ("sm89", "sm120")
MOST_BYTES = 2_000_000_000


def assert_every_graph_is_built(package: EnginePackage, folder: Path) -> None:
    """Engines of ``package`` for both targets, in ``folder``; a value whose type changes would be an error."""
    for name in package.files:
        (folder / name).symlink_to(package.folder / name)
    told: list[Built] = []
    engines = build_engines(replace(package, folder=folder), TARGETS, MOST_BYTES, told.append)
    assert engines.targets == TARGETS
    assert [engine.graph for engine in engines.engines] == sorted(package.graphs)
    assert [built.file for built in told] == [engine.file for engine in engines.engines]
    assert all(built.layers > 100 and built.peak_bytes < MOST_BYTES for built in told)
    assert all((folder / engine.file).stat().st_size > 1_000_000 for engine in engines.engines)
