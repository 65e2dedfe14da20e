"""Every graph of the tiny SD 1.5 package in half precision, and of the bundled one, is built for two GPUs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from headshots.diffusion.export.ensure import ensure_package
from headshots.diffusion.package import EnginePackage
from tests.support.engine_builds import assert_every_graph_is_built
from tests.support.foundations.engines import OPTIONS, bundled_package, engines, tiny_foundation


def test_every_graph_of_the_tiny_foundation_in_half_precision(tmp_path: Path) -> None:
    """In full precision the export's own test builds it."""
    folder = ensure_package(tiny_foundation(), engines(), replace(OPTIONS, precision="fp16"))
    assert_every_graph_is_built(EnginePackage.read(folder), tmp_path)


@pytest.mark.slow
def test_every_graph_of_the_bundled_foundation(tmp_path: Path) -> None:
    assert_every_graph_is_built(bundled_package(), tmp_path)
