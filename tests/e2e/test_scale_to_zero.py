"""Trainers and generators come from zero and go to zero, by KEDA's protocol alone, and nothing is lost on the way.

``pytest -n 0 -m slow tests/e2e/test_scale_to_zero.py``; a minute.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.gateway.cold_start import GENERATORS, SHOTS, TRAINERS, rehearse
from tests.support.foundations.engines import tiny_package


@pytest.mark.slow
async def test_replicas_come_from_zero_and_go_again_and_every_image_is_there(tmp_path: Path) -> None:
    found = await rehearse(tmp_path, tiny_package().folder, starts=2)
    assert found.replicas == {GENERATORS: [0, 1, 0, 1, 0], TRAINERS: [0, 1, 0]}
    assert found.images == [SHOTS, SHOTS]
    for start in found.starts:
        assert 0 < start.told < start.serving
        assert start.told < start.first_image <= start.done
