"""Plans of shoots are read as they were meant, also those that older gateways wrote."""

from __future__ import annotations

import json
from pathlib import Path

from headshots.acceptance.profiles import PROFILE_WORTHY
from headshots.styles.library import StyleLibrary
from services.gateway.galleries.orders.seeds import StyleSeeds
from services.gateway.shoots.models import Plan
from tests.support.paths import ROOT


def plan(style_seeds: StyleSeeds) -> Plan:
    recipe = StyleLibrary.load(Path(ROOT / "styles")).get("studio-navy-suit")
    return Plan((recipe,), (2,), PROFILE_WORTHY, 3, 7, 1, 0, 1, "", style_seeds=style_seeds)


def test_a_plan_comes_back_as_it_was_written() -> None:
    for style_seeds in StyleSeeds:
        written = json.loads(json.dumps(plan(style_seeds).to_json()))
        assert Plan.from_json(written) == plan(style_seeds)


def test_a_plan_that_is_older_than_the_choice_paints_all_styles_from_the_same_seeds() -> None:
    written = plan(StyleSeeds.VARIED).to_json()
    del written["style_seeds"]
    assert Plan.from_json(written).style_seeds is StyleSeeds.SAME
