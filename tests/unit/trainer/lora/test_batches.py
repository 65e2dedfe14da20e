"""What a step is shown: whose word counts where, under which caption, and how often the bare foundation is asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.training import people
from headshots.diffusion.foundations.foundation import Foundation
from headshots.errors import InvalidArgumentError
from headshots.settings import default_foundation
from services.trainer.lora.batches import BARE, CAPTION, EMPTY, FIRST_SCENE, PRIOR, Batches, Material, Rows
from services.trainer.lora.frozen import Conditions
from services.trainer.lora.objective import Head, Objective, Places
from services.trainer.lora.recipe import Recipe
from services.trainer.lora.scenes import BACKDROPS, OUTFITS, scene_prompts
from services.trainer.run.preparing import learned_places

CPU = torch.device("cpu")
SCENES = 3
RECIPE = Recipe(steps=12, batch_rows=8, scene_share=0.5, scenes=SCENES, passes=3, caption_dropout=0.25, snr_gamma=0.0)
# What the bare foundation is made to say: no photo's target comes near it.
BARE_WORD = 100.0


class Teacher:
    """A bare foundation that says one thing, and remembers what it was asked."""

    def __init__(self) -> None:
        self.captions: list[Tensor] = []

    def __call__(self, rows: Rows) -> Tensor:
        self.captions.append(rows.caption_B)
        return torch.full_like(rows.noisy_BCHW, BARE_WORD)


def heads(count: int, none: int = 0) -> Places:
    """Places of photos with a head in the middle, and of some without any."""
    share = torch.zeros(8, 8)
    share[2:6, 2:6] = 1.0
    found = [Head(share, 10 * share)] * count + [Head(0 * share, 0 * share)] * none
    return Places.of_heads(found, surround_weight=1.0, margin=1 / 8)


def batches(recipe: Recipe = RECIPE, *, headed: bool = True, prior: bool = False) -> tuple[Batches, Teacher]:
    latents = torch.randn(4, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    places = heads(4) if headed else Places.of_photos([torch.ones(8, 8)] * 4)
    material = Material(
        latents, places, latents[:2] if prior else None, Conditions(torch.zeros(1), None, None), SCENES if headed else 0
    )
    teacher = Teacher()
    objective = Objective(torch.linspace(0.99, 0.01, 50), True, recipe.snr_gamma)
    return Batches(objective, material, recipe, CPU, teacher), teacher


def test_the_head_is_the_photos_and_the_rest_is_as_the_bare_foundation_would_paint_it() -> None:
    rows = batches()[0].step(1)
    beyond = torch.ones(8, 8, dtype=torch.bool)
    beyond[1:7, 1:7] = False
    assert (rows.target_BCHW[:, :, beyond] == BARE_WORD).all()
    assert (rows.target_BCHW[:, :, 2:6, 2:6].abs() < 10).all()
    assert (rows.place_BHW[:, beyond] > 0).all()


def test_the_edge_of_a_head_is_the_photos_where_noise_has_left_it_to_be_seen() -> None:
    rows = batches()[0].step(1)
    counts_B = rows.place_BHW[:, 1, 1] > 0
    assert torch.equal(counts_B, rows.timestep_B < 25)
    assert counts_B.any()
    assert not counts_B.all()
    assert (rows.target_BCHW[:, :, 1, 1].abs() < 10).all()


def test_the_bare_foundation_is_asked_in_the_same_words_without_the_trigger() -> None:
    made, teacher = batches()
    rows = [made.step(number) for number in range(1, 5)]
    asked, said = torch.cat(teacher.captions), torch.cat([each.caption_B for each in rows])
    without = {CAPTION: BARE, EMPTY: EMPTY} | {
        FIRST_SCENE + scene: FIRST_SCENE + SCENES + scene for scene in range(SCENES)
    }
    assert asked.tolist() == [without[caption] for caption in said.tolist()]
    assert set(said.tolist()) == set(without), "every kind of caption comes up"


def test_it_is_asked_once_for_each_draw_and_a_resumed_run_sees_the_same() -> None:
    made, teacher = batches()
    whole = [made.step(number) for number in range(1, 13)]
    assert len(teacher.captions) == 4, "12 steps go through 4 draws 3 times"
    assert same(whole[0], whole[4])
    assert same(whole[0], whole[8])
    assert not same(whole[0], whole[1])
    resumed, _ = batches()
    assert all(same(resumed.step(number), whole[number - 1]) for number in (7, 8, 9, 12))


def same(one: Rows, other: Rows) -> bool:
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in Rows.__dataclass_fields__)


def test_without_heads_nobody_is_asked_no_scene_is_named_and_no_draw_comes_twice() -> None:
    made, teacher = batches(headed=False)
    rows = [made.step(number) for number in range(1, 13)]
    assert teacher.captions == []
    assert set(torch.cat([each.caption_B for each in rows]).tolist()) == {CAPTION, EMPTY}
    assert len({float(each.noisy_BCHW.sum()) for each in rows}) == 12


def test_without_an_analyzer_whole_photos_are_learned_and_it_is_said(caplog: pytest.LogCaptureFixture) -> None:
    photo = np.zeros((64, 64, 3), np.uint8)
    with caplog.at_level("WARNING"):
        places = learned_places(None, [photo], 8, 8, RECIPE)
    assert torch.equal(places.own_BHW, torch.ones(1, 8, 8))
    assert not places.headed_B.any()
    assert "scenes are left out" in caplog.text


def test_a_photo_without_a_head_is_never_captioned_with_a_scene() -> None:
    made, _ = batches(replace(RECIPE, scene_share=1.0, caption_dropout=0.0))
    made.material = replace(made.material, places=heads(3, none=1))
    for number in range(1, 5):
        rows = made.step(number)
        whole_B = (rows.place_BHW == rows.place_BHW[:, :1, :1]).all(dim=(1, 2))
        assert torch.equal(rows.caption_B == CAPTION, whole_B)
        assert (rows.target_BCHW[whole_B].abs() < 10).all()


def test_the_classs_rows_come_beside_the_subjects() -> None:
    made, _ = batches(replace(RECIPE, prior_rows=2, prior_weight=0.5), prior=True)
    rows = made.step(3)
    assert rows.caption_B[8:].tolist() == [PRIOR, PRIOR]
    torch.testing.assert_close(rows.weight_B[:8].sum(), torch.tensor(1.0))
    torch.testing.assert_close(rows.weight_B[8:].sum(), torch.tensor(0.5))
    assert (rows.target_BCHW[8:].abs() < 10).all(), "the class's pictures are their own target"


def test_scenes_are_the_same_for_every_subject_and_none_is_the_benchmarks() -> None:
    foundation = Foundation.read(default_foundation())
    with_trigger, bare = (scene_prompts(foundation, subject, 8, 1) for subject in ("ohwx man", "man"))
    assert [prompt.replace("ohwx ", "") for prompt in with_trigger] == bare
    assert len(set(bare)) > 4
    assert scene_prompts(foundation, "man", 8, 2) != bare
    for scene in people.SCENES:
        assert scene.outfit not in OUTFITS
        assert scene.backdrop not in BACKDROPS


@pytest.mark.parametrize("setting", [{"scene_share": 1.1}, {"passes": 0}, {"scenes": 0}, {"head_margin": 0.6}])
def test_numbers_beyond_their_limits_are_refused(setting: dict[str, float]) -> None:
    foundation = replace(Foundation.read(default_foundation()), training=setting)
    with pytest.raises(InvalidArgumentError) as caught:
        Recipe.resolve(foundation)
    assert caught.value.reason == "FOUNDATION_RECIPE_INVALID"


@pytest.mark.parametrize("prior_rows", [0, 1, 3])
def test_the_parts_of_a_step_are_the_whole(prior_rows: int) -> None:
    recipe = replace(RECIPE, prior_rows=prior_rows)
    whole, _ = batches(recipe, prior=prior_rows > 0)
    parts = [replace(batches(recipe, prior=prior_rows > 0)[0], part=(number, 3)) for number in range(3)]
    for step in (1, 4, 9):
        rows = whole.step(step)
        found = [part.step(step) for part in parts]
        for name in Rows.__dataclass_fields__:
            # A part has its share of the subject's rows, then its share of the class's.
            order = np.argsort(np.concatenate([_order(recipe, number) for number in range(3)]), kind="stable")
            together = torch.cat([getattr(part, name) for part in found])[torch.from_numpy(order)]
            torch.testing.assert_close(together, getattr(rows, name), rtol=1e-6, atol=0)


def _order(recipe: Recipe, number: int) -> np.ndarray:
    """Which rows of the whole a part of three has."""
    subject = np.array_split(np.arange(recipe.batch_rows), 3)[number]
    prior = np.array_split(recipe.batch_rows + np.arange(recipe.prior_rows), 3)[2 - number]
    return np.concatenate([subject, prior])
