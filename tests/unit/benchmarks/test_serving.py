"""The serving benchmark's own arithmetic: dealing, shapes, spreads, images that are compared, parts that are kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.report import Measured
from benchmarks.serving.content import ContentError, check_adapters_show, check_same, check_same_prediction
from benchmarks.serving.journal import Journal, joined
from benchmarks.serving.parts.latency import poisson
from benchmarks.serving.scale import FULL, QUICK
from benchmarks.serving.shapes import shapes
from benchmarks.serving.sides.side import MOST_IMAGES, Shape, alone, by_subject, mixed
from benchmarks.serving.timing import ratio
from benchmarks.serving.world import World, make_world
from headshots.diffusion.foundations.foundation import Foundation
from services.generator.images.encoding import encode
from tests.support.foundations.engines import tiny_foundation, tiny_package


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(Foundation.read(tiny_foundation()), tiny_package(), tmp_path, replace(QUICK, subjects=4))


def test_no_prompt_is_sent_twice(world: World) -> None:
    prompts = [one.prompt for turn in range(3) for one in world.requests(2, 6, turn)]
    assert len(set(prompts)) == 18
    people = [one.subject.name for one in world.requests(2, 6)]
    assert people == ["subject-0", "subject-1"] * 3


def test_each_side_deals_requests_as_it_batches_them(world: World) -> None:
    wanted = world.requests(2, 6)
    assert alone(wanted, 2) == [[0], [1], [2], [3], [4], [5]]
    assert by_subject(wanted, 2) == [[0, 2, 4], [1, 3, 5]]
    assert mixed(wanted, 2) == [[0, 1, 2], [3, 4, 5]]
    assert mixed(wanted, 4) == [[0, 1], [2, 3], [4, 5]]
    many = world.requests(1, 2 * MOST_IMAGES + 1)
    for units in (by_subject(many, 1), mixed(many, 1)):
        assert [len(unit) for unit in units] == [MOST_IMAGES, MOST_IMAGES, 1]


def test_shapes_use_every_cpu() -> None:
    assert shapes(1) == [Shape(1, 1)]
    assert shapes(2) == [Shape(2, 1), Shape(1, 2)]
    assert [str(shape) for shape in shapes(8)] == ["8x1", "4x2", "2x4", "1x8"]
    assert shapes(6)[-1] == Shape(1, 6)


def test_a_ratio_is_of_medians_and_tells_its_rounds() -> None:
    found = ratio([4.0, 2.0, 6.0], [1.0, 2.0, 2.0])
    assert (found.middle, found.spread) == (2.0, [1.0, 4.0])
    with pytest.raises(ValueError, match="shorter"):
        ratio([1.0, 2.0], [1.0])


def test_arrivals_are_the_same_for_a_seed_and_as_dense_as_the_rate() -> None:
    assert poisson(5, 2.0, seed=1) == poisson(5, 2.0, seed=1) != poisson(5, 2.0, seed=2)
    times = poisson(2000, 4.0, seed=3)
    assert times == sorted(times)
    assert times[-1] == pytest.approx(500, rel=0.1)
    # The same arrivals on a slower side's clock.
    assert np.allclose(poisson(2000, 1.0, seed=3), 4 * np.asarray(times))


def test_images_are_compared_pixel_by_pixel() -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 255, (16, 16, 3)).astype(np.uint8)
    same, close, far = (encode(pixels + np.uint8(add), "png") for add in (0, 1, 60))
    assert check_same("a", [same, same], [same, close]) == pytest.approx(48.1)
    assert check_same("a", [same], [same]) == 99.0
    with pytest.raises(ContentError, match="b paints other images"):
        check_same("b", [same, same], [same, far])
    with pytest.raises(ContentError, match="changes too little"):
        check_adapters_show(same, close)
    with pytest.raises(ValueError, match="shorter"):
        check_same("a", [same, same], [same])


def test_predictions_are_compared_and_none_that_is_no_number_passes() -> None:
    one = np.linspace(1, 2, 10)
    assert check_same_prediction("a", one, one * (1 + 1e-5)) == pytest.approx(1e-5, rel=0.01)
    for other in (one * 1.01, one * np.nan):
        with pytest.raises(ContentError, match="a predicts something else"):
            check_same_prediction("a", one, other)


def test_a_part_is_found_again_only_by_what_decides_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, revision="1", scale={"rounds": 5})
    assert journal.get("bank") is None
    journal.add("bank", Measured({"bank_cost": 1.2}, {"bank": {"2": 1.2}}))
    journal.add("bank", Measured({"bank_cost": 1.1}, {"bank": {"2": 1.1}}))
    assert journal.get("bank") == Measured({"bank_cost": 1.1}, {"bank": {"2": 1.1}})
    assert journal.get("cold") is None
    assert Journal(path, revision="2", scale={"rounds": 5}).get("bank") is None


def test_details_of_parts_stand_beside_each_other() -> None:
    one, other = {"spread": {"a": [1]}, "x": 1}, {"spread": {"b": [2]}, "x": 2}
    assert joined(one, other) == {"spread": {"a": [1], "b": [2]}, "x": 2}


def test_a_burst_fits_the_subjects_that_are_made() -> None:
    for scale in (FULL, QUICK):
        assert max(scale.burst[0], scale.one_each[0], scale.grouped[0]) <= scale.subjects
