"""The figures of a team are of the finished files alone."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.looks.report import TARGETS
from benchmarks.looks.team import spreads
from foundry.portraits import held_out_seed, render, sample_identity, sample_scene
from headshots.faces.bundled import BundledAnalyzer
from headshots.looks.cropping import cut_to_frame
from headshots.looks.frame import Frame
from headshots.settings import default_analyzer


def test_cut_portraits_reach_the_targets_and_uncut_ones_do_not() -> None:
    analyzer, whole = BundledAnalyzer(default_analyzer()), {}
    for number in range(3):
        seed = held_out_seed(22_000 + number)
        asked = {"backdrop": "plain grey studio", "light": "soft studio lighting"}
        scene = sample_scene(np.random.default_rng([seed, 1]), "studio", **asked)
        whole[str(number)] = render(sample_identity(seed), scene, 128)
    cut = {name: cut_to_frame(analyzer, pixels, Frame(96, 120)).pixels for name, pixels in whole.items()}
    found, before = spreads(analyzer, cut), spreads(analyzer, whole)
    assert all(TARGETS[name].met(value) in (True, None) for name, value in found.items())
    assert before["team_head_height_spread"] > 0.01
    assert before["team_eye_line_spread"] > 0.01
    assert spreads(analyzer, {}) == {}
    assert found["team_backdrop_delta_e"] == pytest.approx(before["team_backdrop_delta_e"], abs=3)
