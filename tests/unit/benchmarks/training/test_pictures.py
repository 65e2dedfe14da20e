"""Kept pictures, and the sheets that are made of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.training.people import CASTS, GALLERY, PUBLISHED
from benchmarks.training.pictures import keep, kept
from benchmarks.training.plan import Plan
from benchmarks.training.sheets import write_sheets
from headshots.settings import default_foundation


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return Plan(foundation=default_foundation(), out=tmp_path)


def portraits(grey: int) -> np.ndarray:
    return np.full((3, 128, 128, 3), grey, np.uint8)


def test_pictures_come_back_as_they_were(plan: Plan) -> None:
    drawn = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3)).astype(np.uint8)
    keep(plan, "ours", 3, list(drawn))
    np.testing.assert_array_equal(kept(plan, "ours", 3), drawn)


def test_pictures_that_are_gone_are_told_with_the_cure(plan: Plan) -> None:
    with pytest.raises(FileNotFoundError, match=f"remove {plan.folder}"):
        kept(plan, "ours", 4)


def test_sheets_show_the_worst_three_the_median_and_the_best(plan: Plan) -> None:
    for person in range(6):
        keep(plan, "ours", person, portraits(40 * person))
    plan.folder.joinpath("sheet-worst-1-person-19.png").touch()
    paths = write_sheets(plan, [5, 3, 1, 0, 2, 4])
    assert [path.name for path in paths] == [
        "sheet-worst-1-person-05.png",
        "sheet-worst-2-person-03.png",
        "sheet-worst-3-person-01.png",
        "sheet-median-person-00.png",
        "sheet-best-person-04.png",
    ]
    # An older run's sheet is gone.
    assert sorted(plan.folder.glob("sheet-*.png")) == sorted(paths)
    page = np.asarray(Image.open(paths[0]))
    # Eight true photos above, three portraits below, and white where there are no more.
    assert page.shape == (128 + 4 + 128, 8 * 128, 3)
    assert (page[132:, : 3 * 128] == 200).all()
    assert (page[132:, 3 * 128 :] == 255).all()


def test_nothing_of_the_published_cast_is_of_the_one_that_recipes_are_chosen_by(tmp_path: Path) -> None:
    """No person, double, scene or seed; so neither selfies, galleries nor results of one are taken for the other's."""
    plans = [Plan(default_foundation(), tmp_path, cast) for cast in CASTS.values()]
    assert Plan(default_foundation(), tmp_path).cast is PUBLISHED
    for told in (
        lambda plan: {plan.cast.identity(person).seed for person in range(GALLERY)},
        lambda plan: {each.seed for person in range(plan.people) for each in plan.cast.doubles(person)},
        lambda plan: set(plan.cast.scenes),
        lambda plan: set(plan.cast.seeds),
        lambda plan: {plan.key},
        lambda plan: {plan.gallery_file},
        lambda plan: {each.key for each in plan.cast.upload(plan.store, 0, 2)},
    ):
        first, second = (told(plan) for plan in plans)
        assert first
        assert not first & second
