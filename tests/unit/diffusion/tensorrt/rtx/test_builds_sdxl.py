"""Every graph of the tiny SDXL package is parsed and built for two GPUs; in full precision with `-m slow`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from headshots.diffusion.export.ensure import ensure_package
from headshots.diffusion.package import EnginePackage
from tests.support.engine_builds import assert_every_graph_is_built
from tests.support.foundations.engines import OPTIONS, engines, tiny_sdxl


@pytest.mark.parametrize("precision", [pytest.param("fp32", marks=pytest.mark.slow), "fp16"])
def test_every_graph(tmp_path: Path, precision: str) -> None:
    folder = ensure_package(tiny_sdxl(), engines(), replace(OPTIONS, precision=precision))
    assert_every_graph_is_built(EnginePackage.read(folder), tmp_path)
