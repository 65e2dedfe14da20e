"""Every graph of the tiny SDXL package is built for a GPU; for two, and in full precision, with `-m slow`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from headshots.diffusion.export.ensure import ensure_package
from headshots.diffusion.package import EnginePackage
from tests.support.engine_builds import TARGETS, assert_every_graph_is_built
from tests.support.foundations.engines import OPTIONS, engines, tiny_sdxl


@pytest.mark.parametrize(
    ("precision", "targets"),
    [
        ("fp16", TARGETS[1:]),
        *(pytest.param(precision, TARGETS, marks=pytest.mark.slow) for precision in ("fp32", "fp16")),
    ],
)
def test_every_graph(tmp_path: Path, precision: str, targets: tuple[str, ...]) -> None:
    folder = ensure_package(tiny_sdxl(), engines(), replace(OPTIONS, precision=precision))
    assert_every_graph_is_built(EnginePackage.read(folder), tmp_path, targets)
