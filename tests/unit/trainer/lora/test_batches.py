"""The rows of a step: their targets, their weights, their captions, and the calls of the bare foundation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from services.trainer.lora.batches import (
    BARE,
    CAPTION,
    CLASS,
    EMPTY,
    FIRST_SCENE,
    Batches,
    Rows,
    TrainingData,
    bare_captions,
)
from services.trainer.lora.frozen import Conditions
from services.trainer.lora.objective import Head, LossMasks, Objective
from services.trainer.lora.recipe import Recipe

CPU = torch.device("cpu")
SCENES = 3
RECIPE = Recipe(steps=12, batch_rows=8, scene_share=0.5, scenes=SCENES, passes=3, caption_dropout=0.25, snr_gamma=0.0)
# SDXL's sizes of whole images, and those of each of the four latents.
WHOLE = torch.tensor([64.0, 64, 0, 0, 64, 64])
SIZE_IDS = torch.arange(24.0).view(4, 6)
# The fake bare prediction: far from any photo's target.
BARE_VALUE = 100.0


class FakeBare:
    """A bare foundation that predicts one value and records the captions it was given."""

    def __init__(self) -> None:
        self.captions: list[Tensor] = []

    def __call__(self, rows: Rows) -> Tensor:
        self.captions.append(rows.caption_B)
        return torch.full_like(rows.noisy_BCHW, BARE_VALUE)


TENSORS = [name for name in Rows.__dataclass_fields__ if name != "memory"]


def heads(count: int, none: int = 0) -> LossMasks:
    """Masks of ``count`` photos with a head in the middle, and of ``none`` photos without a head."""
    share = torch.zeros(8, 8)
    share[2:6, 2:6] = 1.0
    found = [Head(share, 10 * share)] * count + [Head(0 * share, 0 * share)] * none
    return LossMasks.of_heads(found, surround_weight=1.0, margin=1 / 8)


def batches(recipe: Recipe = RECIPE, *, headed: bool = True, prior: bool = False) -> tuple[Batches, FakeBare]:
    latents = torch.randn(4, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    masks = heads(4) if headed else LossMasks.of_photos([torch.ones(8, 8)] * 4)
    data = TrainingData(
        latents,
        masks,
        latents[:2] if prior else None,
        Conditions(torch.zeros(1), torch.zeros(1), WHOLE),
        SCENES if headed else 0,
        size_ids_L6=SIZE_IDS,
    )
    bare = FakeBare()
    objective = Objective(torch.linspace(0.99, 0.01, 50), True, recipe.snr_gamma)
    return Batches(objective, data, recipe, CPU, bare), bare


def test_the_target_is_the_photo_in_the_head_and_the_bare_prediction_elsewhere() -> None:
    rows = batches()[0].step(1)
    beyond = torch.ones(8, 8, dtype=torch.bool)
    beyond[1:7, 1:7] = False
    assert (rows.target_BCHW[:, :, beyond] == BARE_VALUE).all()
    assert (rows.target_BCHW[:, :, 2:6, 2:6].abs() < 10).all()
    assert (rows.cell_weight_BHW[:, beyond] > 0).all()


def test_the_edge_of_a_head_is_learned_from_the_photo_at_low_noise() -> None:
    rows = batches()[0].step(1)
    counts_B = rows.cell_weight_BHW[:, 1, 1] > 0
    assert torch.equal(counts_B, rows.timestep_B < 25)
    assert counts_B.any()
    assert not counts_B.all()
    assert (rows.target_BCHW[:, :, 1, 1].abs() < 10).all()


def test_the_bare_prediction_has_the_same_caption_without_the_trigger_word() -> None:
    made, bare = batches()
    rows = [made.step(number) for number in range(1, 5)]
    bare_captions, captions = torch.cat(bare.captions), torch.cat([each.caption_B for each in rows])
    without = {CAPTION: BARE, EMPTY: EMPTY} | {
        FIRST_SCENE + scene: FIRST_SCENE + SCENES + scene for scene in range(SCENES)
    }
    assert bare_captions.tolist() == [without[caption] for caption in captions.tolist()]
    assert set(captions.tolist()) == set(without), "every kind of caption occurs"


def test_each_draw_has_one_bare_prediction_and_a_resumed_run_has_the_same_rows() -> None:
    made, bare = batches()
    whole = [made.step(number) for number in range(1, 13)]
    assert len(bare.captions) == 4, "12 steps go through 4 draws 3 times"
    assert same(whole[0], whole[4])
    assert same(whole[0], whole[8])
    assert not same(whole[0], whole[1])
    resumed, _ = batches()
    assert all(same(resumed.step(number), whole[number - 1]) for number in (7, 8, 9, 12))


def same(one: Rows, other: Rows) -> bool:
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in TENSORS)


def test_a_draw_has_one_memory_in_all_passes_as_long_as_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = batches()
    first, second = made.step(1).memory, made.step(2).memory
    assert first is not None
    assert made.step(5).memory is first
    assert second is not None
    assert second is not first
    once, _ = batches(replace(RECIPE, passes=1))
    assert once.step(1).memory is None, "nothing comes again"
    beside_others, _ = batches(replace(RECIPE, prior_rows=1), prior=True)
    assert beside_others.step(1).memory is None, "the class's rows do not come again"
    # A tensor that is remembered under two names counts once.
    monkeypatch.setattr("services.trainer.lora.batches.REMEMBERED_BYTES", 64)
    small, _ = batches()
    kept = torch.zeros(8)
    for number in (1, 2):
        memory = small.step(number).memory
        assert memory is not None
        memory[0] = kept, (kept,)
    assert small.step(3).memory is None, "2 times 32 bytes are what there is room for"
    assert small.step(5).memory is not None, "what is remembered stays"


def test_without_heads_there_are_no_bare_predictions_no_scenes_and_no_repeated_draws() -> None:
    made, bare = batches(headed=False)
    rows = [made.step(number) for number in range(1, 13)]
    assert bare.captions == []
    assert set(torch.cat([each.caption_B for each in rows]).tolist()) == {CAPTION, EMPTY}
    assert len({float(each.noisy_BCHW.sum()) for each in rows}) == 12


def test_a_photo_without_a_head_is_never_captioned_with_a_scene() -> None:
    made, _ = batches(replace(RECIPE, scene_share=1.0, caption_dropout=0.0))
    made.data = replace(made.data, masks=heads(3, none=1))
    for number in range(1, 5):
        rows = made.step(number)
        whole_B = (rows.cell_weight_BHW == rows.cell_weight_BHW[:, :1, :1]).all(dim=(1, 2))
        assert torch.equal(rows.caption_B == CAPTION, whole_B)
        assert (rows.target_BCHW[whole_B].abs() < 10).all()


def test_the_classs_rows_follow_the_subjects() -> None:
    made, _ = batches(replace(RECIPE, prior_rows=2, prior_weight=0.5), prior=True)
    rows = made.step(3)
    assert rows.caption_B[8:].tolist() == [CLASS, CLASS]
    torch.testing.assert_close(rows.weight_B[:8].sum(), torch.tensor(1.0))
    torch.testing.assert_close(rows.weight_B[8:].sum(), torch.tensor(0.5))
    assert (rows.target_BCHW[8:].abs() < 10).all(), "class images are their own target"


def test_the_subjects_rows_have_their_photos_sizes_and_the_classs_those_of_whole_images() -> None:
    recipe = replace(RECIPE, prior_rows=2)
    made, _ = batches(recipe, prior=True)
    rows = made.step(3)
    assert rows.size_ids_B6 is not None
    drawn = made._draw(3, made.data.subject_BCHW, 0, recipe.batch_rows).index_B
    assert torch.equal(rows.size_ids_B6[: recipe.batch_rows], SIZE_IDS[drawn])
    assert rows.size_ids_B6[recipe.batch_rows :].tolist() == [WHOLE.tolist()] * 2
    made.data = replace(made.data, size_ids_L6=None)
    assert made.step(3).size_ids_B6 is None, "Stable Diffusion 1.5 is told no sizes"


def test_a_photos_own_caption_is_its_rows_and_the_bare_foundation_reads_it_without_the_trigger() -> None:
    first = FIRST_SCENE + 2 * SCENES
    own, bare_K = torch.tensor([CAPTION, first, first + 1, first]), bare_captions(SCENES, first + 4)
    bare_K[first : first + 2] += 2
    made, bare = batches(replace(RECIPE, prior_rows=2, scene_share=0.0, caption_dropout=0.0), prior=True)
    data = replace(made.data, subject_caption_L=own, class_caption_N=torch.tensor([7, 8]), bare_K=bare_K)
    made = Batches(made.objective, data, made.recipe, CPU, bare)
    rows = made.step(1)
    drawn, of_class = rows.caption_B.split([RECIPE.batch_rows, 2])
    index_B = made._draw(1, data.subject_BCHW, 0, RECIPE.batch_rows).index_B
    assert torch.equal(drawn, own[index_B])
    assert set(of_class.tolist()) <= {7, 8}
    without = torch.where(drawn == CAPTION, BARE, drawn + 2)
    assert torch.equal(bare.captions[0], without)


@pytest.mark.parametrize("prior_rows", [0, 1, 3])
def test_the_parts_of_a_step_make_up_the_whole(prior_rows: int) -> None:
    recipe = replace(RECIPE, prior_rows=prior_rows)
    whole, _ = batches(recipe, prior=prior_rows > 0)
    parts = [replace(batches(recipe, prior=prior_rows > 0)[0], part=(number, 3)) for number in range(3)]
    for step in (1, 4, 9):
        rows = whole.step(step)
        found = [part.step(step) for part in parts]
        for name in TENSORS:
            # A part has its share of the subject's rows, then its share of the class's.
            order = np.argsort(np.concatenate([_order(recipe, number) for number in range(3)]), kind="stable")
            together = torch.cat([getattr(part, name) for part in found])[torch.from_numpy(order)]
            torch.testing.assert_close(together, getattr(rows, name), rtol=1e-6, atol=0)


def _order(recipe: Recipe, number: int) -> np.ndarray:
    """Indices in the whole of the rows of one part of three."""
    subject = np.array_split(np.arange(recipe.batch_rows), 3)[number]
    prior = np.array_split(recipe.batch_rows + np.arange(recipe.prior_rows), 3)[2 - number]
    return np.concatenate([subject, prior])
