"""Class images are generated once for all trainings of a foundation."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headshots.artifacts import ArtifactStore
from services.trainer.lora.recipe import TrainingOptions
from services.trainer.queue.job import JobRequest
from services.trainer.run.messages import Task
from tests.support.foundations.tiny import make_tiny_foundation
from tests.support.trainer.runs import finish, set_recipe, training_task

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.filterwarnings("ignore")
def test_class_images_are_generated_once_for_all_trainings(tmp_path: Path) -> None:
    path = make_tiny_foundation(tmp_path / "foundation")
    set_recipe(path, prior_rows=2, prior_images=3)
    task = training_task(path, tmp_path, steps=2)
    finish(task)
    store = ArtifactStore.open(task.store_url)
    keys = store.list_sync(f"foundations/{task.foundation_digest}/class")
    assert len(keys) == 3
    assert Image.open(io.BytesIO(store.get_sync(keys[0]))).size == (64, 64)
    # A missing image is generated again, with the same pixels.
    lost = store.get_sync(keys[1])
    store.delete_sync(keys[1])
    other = Task(**{**vars(task), "request": JobRequest(task.request.photos, "other", "man", TrainingOptions(steps=1))})
    finish(other)
    assert store.list_sync(f"foundations/{task.foundation_digest}/class") == keys
    np.testing.assert_array_equal(_pixels(store.get_sync(keys[1])), _pixels(lost))


def _pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))
