"""Selection beside the loop, on a tiny foundation: what is taken, what it leaves alone, and that it survives a stop."""

from __future__ import annotations

import dataclasses
import hashlib
import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
import yaml
from PIL import Image

from headshots.artifacts import ArtifactStore
from headshots.diffusion.foundations.foundation import Foundation, foundation_digest
from headshots.faces import Face, FaceAnalyzer, Part, Pixels
from services.trainer.lora.recipe import Recipe, TrainingOptions
from services.trainer.queue.job import JobRequest
from services.trainer.run.foundation_stamp import foundation_stamp
from services.trainer.run.messages import Event, Stopped, Succeeded, Task
from services.trainer.run.photos import PhotoRef, load_pictures
from services.trainer.run.preparing import Prepared, prepare
from services.trainer.run.training import train
from services.trainer.selection.scores import CheckpointScores
from services.trainer.selection.selection import checkpoint_steps
from tests.support.tiny import make_tiny_foundation

pytestmark = pytest.mark.usefixtures("one_thread")

PHOTOS, STEPS = 6, 12


class WholeAnalyzer:
    """Takes every picture for one face; its coarse colours are who it is. Implements the Protocol."""

    name, same_person_from = "whole-1", 0.5

    def faces(self, pixels_HWC: Pixels) -> list[Face]:
        small = np.asarray(Image.fromarray(pixels_HWC).resize((4, 4), Image.Resampling.BOX), np.float32).ravel()
        vector = small - small.mean() + 1e-3
        height, width = pixels_HWC.shape[:2]
        box = (0.0, 0.0, float(width), float(height))
        return [Face(box, np.zeros((5, 2), np.float32), vector / np.linalg.norm(vector), 1.0)]

    def parts(self, pixels_HWC: Pixels) -> npt.NDArray[np.uint8]:
        told = np.full(pixels_HWC.shape[:2], Part.FACE, np.uint8)
        told[:, : pixels_HWC.shape[1] // 2] = Part.BACKDROP
        return told


@pytest.fixture(scope="module")
def foundation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = make_tiny_foundation(tmp_path_factory.mktemp("selection") / "foundation", prediction_type="v_prediction")
    settings = yaml.safe_load((path / "headshots.yaml").read_text())
    # Few denoising steps against many rows, so that three checkpoints are allowed for.
    settings["training"] |= {
        "prior_rows": 0, "steps": STEPS, "batch_rows": 40, "learning_rate": 0.01, "crops_per_photo": 1,
        "checkpoints": 3, "score_prompts": 2, "score_steps": 2,
    }  # fmt: skip
    (path / "headshots.yaml").write_text(yaml.safe_dump(settings))
    return path


def _task(foundation: Path, home: Path, photos: int = PHOTOS) -> Task:
    store = ArtifactStore.open((home / "objects").as_uri())
    refs = []
    for seed in range(photos):
        pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        packed = io.BytesIO()
        Image.fromarray(pixels).resize((64, 64)).save(packed, "PNG")
        digest = hashlib.sha256(packed.getvalue()).hexdigest()
        store.put_sync(f"photos/{digest}.png", packed.getvalue())
        refs.append(PhotoRef(f"photos/{digest}.png", digest))
    return Task(
        job_id="job",
        request=JobRequest(tuple(refs), "adapters/a", "man", TrainingOptions()),
        foundation=str(foundation),
        foundation_digest=foundation_digest(foundation),
        foundation_stamp=foundation_stamp(foundation),
        store_url=(home / "objects").as_uri(),
        device="cpu",
        threads=1,
        checkpoint_seconds=3600.0,
    )


def _pictures(task: Task) -> list[Pixels]:
    recipe = Recipe.resolve(Foundation.read(Path(task.foundation)))
    return load_pictures(ArtifactStore.open(task.store_url), task.request.photos, recipe, (64, 64))


def _train(task: Task, analyzer: FaceAnalyzer | None, polls: int = 10**9) -> list[Event]:
    """All events; told to stop after so many questions."""
    asked = iter(range(10**9))
    return list(train(task, _pictures(task), lambda: next(asked) >= polls, analyzer))


def _prepared(task: Task, analyzer: FaceAnalyzer | None) -> Prepared:
    store, foundation = ArtifactStore.open(task.store_url), Foundation.read(Path(task.foundation))
    recipe = Recipe.resolve(foundation)
    return prepare(task, _pictures(task), store, foundation, recipe, analyzer, torch.device("cpu"), lambda: None)


def test_the_result_says_how_it_was_chosen(foundation: Path, tmp_path: Path) -> None:
    task = _task(foundation, tmp_path)
    last = _train(task, WholeAnalyzer())[-1]
    assert isinstance(last, Succeeded)
    scores, store = last.scores, ArtifactStore.open(task.store_url)
    judged = [one.step for one in scores.checkpoints]
    assert judged == list(checkpoint_steps(Recipe.resolve(Foundation.read(foundation))))
    assert len(judged) == 3
    assert (scores.analyzer, scores.held_out) == ("whole-1", 1)
    assert scores.chosen_step in judged
    assert scores.likeness == next(one.likeness for one in scores.checkpoints if one.step == scores.chosen_step)
    sheet = Image.open(io.BytesIO(store.get_sync(scores.sheet_key)))
    assert sheet.format == "JPEG"
    text = store.get_sync(scores.card_key).decode()
    assert scores.reason in text
    assert task.foundation_digest[:16] in text
    assert f"| **{scores.chosen_step}** |" in text


def test_without_an_analyzer_all_photos_train_and_the_last_step_is_taken(foundation: Path, tmp_path: Path) -> None:
    task = _task(foundation, tmp_path)
    assert _prepared(task, None).held_out == []
    last = _train(task, None)[-1]
    assert isinstance(last, Succeeded)
    scores = last.scores
    assert (scores.analyzer, scores.likeness, scores.passed, scores.held_out) == ("", None, False, 0)
    assert scores.chosen_step == STEPS
    assert "not measured" in scores.reason
    assert "not passed" in ArtifactStore.open(task.store_url).get_sync(scores.card_key).decode()


def test_four_photos_are_too_few_to_hold_one_out(foundation: Path, tmp_path: Path) -> None:
    prepared = _prepared(_task(foundation, tmp_path, photos=4), WholeAnalyzer())
    assert prepared.held_out == []
    assert prepared.selection.judge is None
    assert "too few photos" in prepared.selection.why_not


def test_judging_leaves_the_steps_alone(foundation: Path, tmp_path: Path) -> None:
    """A run that is judged learns what the same run learns unjudged."""
    judged, plain = (_prepared(_task(foundation, tmp_path), WholeAnalyzer()) for _ in range(2))
    for step in judged.run.steps():
        if step.number in (2, 5):
            judged.selection.look(judged.run, lambda: None)
    for _ in plain.run.steps():
        pass
    for name, matrix in plain.run.weights().items():
        np.testing.assert_array_equal(judged.run.weights()[name], matrix, err_msg=name)


def test_the_best_checkpoints_weights_are_the_adapter(foundation: Path, tmp_path: Path) -> None:
    prepared = _prepared(_task(foundation, tmp_path), WholeAnalyzer())
    selection, kept = prepared.selection, {}
    for step in prepared.run.steps():
        if step.number in (2, 4, 6):
            selection.look(prepared.run, lambda: None)
            # Whatever was seen: step 4 shall have been the likest.
            likeness = 0.9 if step.number == 4 else 0.5
            selection.judged[-1] = CheckpointScores(step.number, likeness, 0.0, 1.0, 1.0, 1.0)
            if step.number == 4:
                selection.best = kept = prepared.run.weights()
    weights, scores, portraits = selection.take(prepared.run, lambda: None)
    assert scores.chosen_step == 4
    assert len(portraits) == 2
    for name, matrix in kept.items():
        np.testing.assert_array_equal(weights[name], matrix)
        np.testing.assert_array_equal(prepared.run.weights()[name], matrix)


def test_stopped_anywhere_and_taken_up_again_the_bytes_are_the_same(foundation: Path, tmp_path: Path) -> None:
    """Stopped before, while and after portraits are judged: every file of the result is what it would have been."""
    whole = _train(_task(foundation, tmp_path / "whole"), WholeAnalyzer())[-1]
    task = _task(foundation, tmp_path / "stopped")
    assert isinstance(whole, Succeeded)
    events, rounds = _train(task, WholeAnalyzer(), polls=9), 0
    while isinstance(events[-1], Stopped):
        rounds += 1
        # Encoding, captions and two steps of painting are asked for before the first step; a little further each time.
        events = _train(task, WholeAnalyzer(), polls=4 + rounds % 3)
        assert rounds < 60
    assert rounds > 3, "otherwise hardly anything was interrupted"
    assert events[-1] == whole
    for prefix in ("whole", "stopped"):
        store = ArtifactStore.open((tmp_path / prefix / "objects").as_uri())
        assert store.list_sync("adapters/a/checkpoints") == []
    stores = [ArtifactStore.open((tmp_path / name / "objects").as_uri()) for name in ("whole", "stopped")]
    for key in stores[0].list_sync("adapters/a"):
        assert stores[0].get_sync(key) == stores[1].get_sync(key), key


def test_a_run_that_gets_no_better_ends_early(foundation: Path, tmp_path: Path) -> None:
    class Bored(WholeAnalyzer):
        """Everybody looks the same to it."""

        def faces(self, pixels_HWC: Pixels) -> list[Face]:
            face = super().faces(pixels_HWC)[0]
            return [dataclasses.replace(face, embedding=np.eye(48, dtype=np.float32)[0])]

    settings = yaml.safe_load((foundation / "headshots.yaml").read_text())
    patient = tmp_path / "patient"
    make_tiny_foundation(patient, prediction_type="v_prediction")
    settings["training"] |= {"patience": 1}
    (patient / "headshots.yaml").write_text(yaml.safe_dump(settings))
    last = _train(_task(patient, tmp_path), Bored())[-1]
    assert isinstance(last, Succeeded)
    first, second = checkpoint_steps(Recipe.resolve(Foundation.read(patient)))[:2]
    assert (last.scores.stopped_early, last.scores.chosen_step) == (True, first)
    assert last.curve[-1][0] == second < STEPS


def test_judging_is_planned_within_its_share_of_the_work() -> None:
    recipe = Recipe(steps=300, batch_rows=6)
    steps = checkpoint_steps(recipe)
    assert steps[-1] == 300
    assert steps[0] == 120
    painted = recipe.score_prompts * recipe.score_seeds * (recipe.score_steps * 2 + 3) * (len(steps) + 1)
    assert painted <= 0.15 * 300 * 6 * 2
    # However short, the last step is judged; and nobody has to be judged.
    assert checkpoint_steps(Recipe(steps=4)) == (4,)
    assert checkpoint_steps(Recipe(checkpoints=0)) == ()


def test_bare_portraits_are_painted_once_and_may_be_removed(foundation: Path, tmp_path: Path) -> None:
    task = _task(foundation, tmp_path)
    store = ArtifactStore.open(task.store_url)
    first = _prepared(task, WholeAnalyzer()).bare
    keys = store.list_sync(f"foundations/{task.foundation_digest}/bare")
    assert len(keys) == 4
    store.delete_sync(keys[0])
    again = _prepared(task, WholeAnalyzer()).bare
    assert store.list_sync(f"foundations/{task.foundation_digest}/bare") == keys
    np.testing.assert_array_equal(first, again)
