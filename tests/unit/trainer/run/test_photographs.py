"""A foundation for photographs, as it is imported, is trained with all that its recipe asks for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headshots.artifacts import ArtifactStore
from headshots.diffusion.importing.importer import import_foundation
from services.trainer.lora.batches import EMPTY
from tests.support.foundations.layouts import found
from tests.support.trainer.runs import OneFaceAnalyzer, prepare_run, set_recipe, training_task

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.filterwarnings("ignore")
def test_an_imported_sdxl_trains_on_photographs(tmp_path: Path) -> None:
    folder = import_foundation(found("sdxl", "fp32"), tmp_path / "sdxl").folder
    set_recipe(folder, steps=2, rank=2, prior_images=2, prior_scenes=2, crops_per_photo=1, checkpoints=0)
    task = training_task(folder, tmp_path, photos=2, photo_size=(80, 96))
    prepared = prepare_run(task, OneFaceAnalyzer())
    run, data = prepared.loop, prepared.loop._batches.data
    assert prepared.selection.sampler.portraits.negative_caption != EMPTY, (
        "portraits are judged as galleries are painted"
    )
    assert data.size_ids_L6 is not None
    assert data.size_ids_L6.tolist() == [[96.0, 80.0, 6.0, 0.0, 64.0, 64.0]] * 2
    assert data.subject_caption_L is not None
    assert data.class_caption_N is not None
    texts = {*data.subject_caption_L.tolist(), *data.class_caption_N.tolist()}
    assert len(texts) == 3, "one for both close-ups, one for each class image"
    assert [step.number for step in run.steps()] == [1, 2]
    assert all(np.abs(matrix).max() > 0 for matrix in run.weights().values())
    store = ArtifactStore.open(task.store_url)
    assert len(store.list_sync(f"foundations/{task.foundation_digest}/class")) == 2
