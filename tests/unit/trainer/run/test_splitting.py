"""Captions of a training say which photos show glasses, as the analyzer sees them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from foundry.portraits import FIRST_HELD_OUT, sample_identity, sample_scene
from foundry.portraits.render import render
from headshots.faces import FaceAnalyzer, open_analyzer
from services.trainer.captions.run import caption_run
from services.trainer.lora.recipe import Recipe
from services.trainer.run.photos import Crop
from services.trainer.run.splitting import split_photos
from tests.support.trainer.foundation import described_foundation
from tests.support.trainer.runs import training_task

RECIPE = Recipe(caption="portrait photo of {trigger} {class_noun}, {shown}, {traits}", crops_per_photo=1, held_out=0)


@pytest.fixture(scope="module")
def analyzer() -> FaceAnalyzer:
    found = open_analyzer("bundled")
    assert found is not None
    return found


def crop(glasses: str, number: int) -> Crop:
    scene = sample_scene(np.random.default_rng(number), "studio", jpeg_quality=0)
    person = replace(sample_identity(FIRST_HELD_OUT), glasses=glasses, glasses_colour=0)
    return Crop(np.asarray(render(person, scene, 256)), (256, 256), (0, 0))


def captions(analyzer: FaceAnalyzer | None, worn: list[str], recipe: Recipe, folder: Path) -> list[str]:
    task = training_task(described_foundation(folder).path, folder, photos=len(worn))
    split = split_photos(task, [crop(each, number) for number, each in enumerate(worn)], recipe, analyzer)
    run = caption_run(described_foundation(folder), recipe, "man", 0, [], split.shown)
    return [run.texts[number] for number in run.photos]


@pytest.mark.parametrize("worn", [["round", "none", "square", "none"], ["round"] * 4, ["none"] * 4])
def test_glasses_that_come_and_go_are_named_where_they_are(
    analyzer: FaceAnalyzer, tmp_path: Path, worn: list[str]
) -> None:
    told = captions(analyzer, worn, RECIPE, tmp_path)
    differs = len({each == "none" for each in worn}) == 2
    assert ["wearing glasses" in text for text in told] == [differs and each != "none" for each in worn], told
    assert all("close-up" in text or "headshot" in text for text in told)


def test_a_recipe_that_does_not_ask_gets_none(analyzer: FaceAnalyzer, tmp_path: Path) -> None:
    recipe = replace(RECIPE, caption="portrait photo of {trigger} {class_noun}, {shown}")
    told = captions(analyzer, ["round", "none"], recipe, tmp_path)
    assert not any("glasses" in text for text in told)
    assert captions(None, ["round", "none"], RECIPE, tmp_path)[0].endswith(" man")
