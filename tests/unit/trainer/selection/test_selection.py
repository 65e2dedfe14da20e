"""The selection of a checkpoint: what it chooses, that it leaves training unchanged, and early stopping."""

from __future__ import annotations

import dataclasses
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headshots.artifacts import ArtifactStore
from headshots.diffusion.foundations.foundation import Foundation
from headshots.faces import Face, Pixels
from services.trainer.lora.recipe import Recipe
from services.trainer.progress.phases import Entered, Phase
from services.trainer.run.messages import Started, Succeeded
from services.trainer.selection.scores import CheckpointScores
from services.trainer.selection.selection import checkpoint_steps
from tests.support.trainer.runs import OneFaceAnalyzer, events_of, judged_task, prepare_run, set_recipe

pytestmark = pytest.mark.usefixtures("one_thread")

STEPS = 12


def test_the_result_says_how_it_was_chosen(judged_foundation: Path, tmp_path: Path) -> None:
    task = judged_task(judged_foundation, tmp_path)
    events = events_of(task, OneFaceAnalyzer())
    last = events[-1]
    assert isinstance(last, Succeeded)
    scores, store = last.scores, ArtifactStore.open(task.store_url)
    judged = [one.step for one in scores.checkpoints]
    assert judged == list(checkpoint_steps(Recipe.resolve(Foundation.read(judged_foundation))))
    assert len(judged) == 3
    # How long it still needs is estimated by these.
    assert [event.judged_after for event in events if isinstance(event, Started)] == [judged]
    phases = [event.phase for event in events if isinstance(event, Entered)]
    assert phases == [Phase.VALIDATING, Phase.TRAINING] * 3 + [Phase.SAVING]
    assert (scores.analyzer, scores.held_out) == (OneFaceAnalyzer.name, 1)
    assert scores.chosen_step in judged
    assert scores.likeness == next(one.likeness for one in scores.checkpoints if one.step == scores.chosen_step)
    sheet = Image.open(io.BytesIO(store.get_sync(scores.sheet_key)))
    assert sheet.format == "JPEG"
    text = store.get_sync(scores.card_key).decode()
    assert scores.reason in text
    assert task.foundation_digest[:16] in text
    assert f"| **{scores.chosen_step}** |" in text


def test_without_an_analyzer_all_photos_are_trained_on_and_the_last_step_is_chosen(
    judged_foundation: Path, tmp_path: Path
) -> None:
    task = judged_task(judged_foundation, tmp_path)
    assert prepare_run(task, None).held_out == []
    last = events_of(task, None)[-1]
    assert isinstance(last, Succeeded)
    scores = last.scores
    assert (scores.analyzer, scores.likeness, scores.passed, scores.held_out) == ("", None, False, 0)
    assert scores.chosen_step == STEPS
    assert "not measured" in scores.reason
    assert "not passed" in ArtifactStore.open(task.store_url).get_sync(scores.card_key).decode()


def test_judging_does_not_change_training(judged_foundation: Path, tmp_path: Path) -> None:
    """A judged run and the same run without judging have equal weights."""
    judged, plain = (prepare_run(judged_task(judged_foundation, tmp_path), OneFaceAnalyzer()) for _ in range(2))
    for step in judged.loop.steps():
        if step.number in (2, 5):
            judged.selection.judge_checkpoint(judged.loop, lambda: None)
    for _ in plain.loop.steps():
        pass
    for name, matrix in plain.loop.weights().items():
        np.testing.assert_array_equal(judged.loop.weights()[name], matrix, err_msg=name)


def test_the_weights_of_the_best_checkpoint_are_chosen(judged_foundation: Path, tmp_path: Path) -> None:
    prepared = prepare_run(judged_task(judged_foundation, tmp_path), OneFaceAnalyzer())
    selection, kept = prepared.selection, {}
    for step in prepared.loop.steps():
        if step.number in (2, 4, 6):
            selection.judge_checkpoint(prepared.loop, lambda: None)
            # Whatever was judged: step 4 has the highest likeness.
            likeness = 0.9 if step.number == 4 else 0.5
            selection.judged[-1] = CheckpointScores(step.number, likeness, 0.0, 1.0, 1.0, 1.0)
            if step.number == 4:
                selection.best = kept = prepared.loop.weights()
    choice = selection.choose(prepared.loop, lambda: None)
    assert choice.scores.chosen_step == 4
    assert len(choice.portraits) == 2
    for name, matrix in kept.items():
        np.testing.assert_array_equal(choice.weights[name], matrix)
        np.testing.assert_array_equal(prepared.loop.weights()[name], matrix)


def test_a_run_whose_likeness_does_not_improve_ends_early(judged_foundation: Path, tmp_path: Path) -> None:
    class SameFaceAnalyzer(OneFaceAnalyzer):
        """Takes every face for the same person."""

        def faces(self, pixels_HWC: Pixels) -> list[Face]:
            face = super().faces(pixels_HWC)[0]
            return [dataclasses.replace(face, embedding=np.eye(48, dtype=np.float32)[0])]

    impatient = Path(shutil.copytree(judged_foundation, tmp_path / "impatient"))
    set_recipe(impatient, patience=1)
    last = events_of(judged_task(impatient, tmp_path), SameFaceAnalyzer())[-1]
    assert isinstance(last, Succeeded)
    _, second = checkpoint_steps(Recipe.resolve(Foundation.read(impatient)))[:2]
    assert last.scores.stopped_early
    assert last.curve[-1][0] == second < STEPS


def test_judging_stays_within_its_share_of_the_work() -> None:
    recipe = Recipe(steps=300, batch_rows=6)
    steps = checkpoint_steps(recipe)
    assert steps[-1] == 300
    assert steps[0] == 120
    work = recipe.score_prompts * recipe.score_seeds * (recipe.score_steps * 2 + 3) * (len(steps) + 1)
    assert work <= 0.15 * 300 * 6 * 2
    # The last step is judged however short the run is; no step is judged if the recipe says so.
    assert checkpoint_steps(Recipe(steps=4)) == (4,)
    assert checkpoint_steps(Recipe(checkpoints=0)) == ()
