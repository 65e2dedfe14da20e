"""One training from photos to files: it stops and resumes, repeats its bytes, and leaves other results alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline

from headshots.artifacts import ArtifactStore
from headshots.errors import FailedPreconditionError
from services.trainer.lora.recipe import TrainingOptions
from services.trainer.progress.phases import Entered, Phase
from services.trainer.queue.job import JobRequest
from services.trainer.run.messages import Progress, Started, Stopped, Succeeded, Task
from services.trainer.run.training import train
from tests.support.traces import Recorded, recorded
from tests.support.trainer.runs import OneFaceAnalyzer, crops_of, events_of, finish, judged_task, training_task

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_stopped_run_is_resumed_from_its_checkpoint(foundation: Path, tmp_path: Path) -> None:
    task = training_task(foundation, tmp_path, steps=8)
    polls, told = iter([False] * 14 + [True] * 100), list[Entered]()
    with recorded() as stopped:
        first = list(train(task, crops_of(task), lambda: next(polls), tell=told.append))
    assert isinstance(first[-1], Stopped)
    assert 0 < first[-1].step < 8
    store = ArtifactStore.open(task.store_url)
    assert len(store.list_sync(task.request.checkpoint_folder)) == 1
    with recorded() as resumed:
        second = list(train(dataclasses.replace(task, checkpoint_seconds=0.0), crops_of(task), lambda: False))
    assert _intervals(stopped) == [(0, first[-1].step)]
    # This one writes a checkpoint after every step but the last.
    assert _intervals(resumed) == [(step, step + 1) for step in range(first[-1].step, 8)]
    assert stopped.spans[-1].name == "checkpoint"
    interrupted = ["steps", "checkpoint"] * (7 - first[-1].step)
    around = ["latents", "captions", "prepare"], ["steps", "select", "write"]
    assert [span.name for span in resumed.spans] == [*around[0], *interrupted, *around[1]]
    # The first run of a foundation paints what later ones share.
    phases = [each.phase for each in told if not each.done]
    assert phases == [Phase.ENCODING, Phase.LOADING, Phase.CLASS_IMAGES]
    started = second[0]
    assert isinstance(started, Started)
    # Without an analyzer nothing is judged, and portraits are painted at the end alone.
    assert (started.step, started.total_steps, started.judged_after) == (first[-1].step, 8, [8])
    assert [event.phase for event in second if isinstance(event, Entered)] == [Phase.SAVING]
    assert sum(len(event.step_seconds) for event in second if isinstance(event, Progress)) == 8 - first[-1].step
    assert isinstance(second[-1], Succeeded)
    assert store.list_sync(task.request.checkpoint_folder) == []
    # A third run finds the result, and does no step.
    assert list(train(task, crops_of(task), lambda: False)) == [second[-1]]


def _intervals(told: Recorded) -> list[tuple[int, int]]:
    """Of steps: after which each begins, and with which it ends."""
    found = [dict(span.attributes or {}) for span in told.named("steps")]
    return [(each["headshots.first_step"], each["headshots.last_step"]) for each in found]  # type: ignore[misc]


def test_the_same_photos_and_seed_give_the_same_bytes(foundation: Path, tmp_path: Path) -> None:
    results = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        task = training_task(foundation, tmp_path / name, steps=3, seed=seed)
        files = finish(task).adapter
        store = ArtifactStore.open(task.store_url)
        results.append([store.get_sync(key) for key in (files.key, files.kohya_key, files.manifest_key)])
    assert results[0] == results[1]
    assert results[0][0] != results[2][0]


@pytest.mark.filterwarnings("ignore")
def test_stock_diffusers_generates_the_same_with_either_file(foundation: Path, tmp_path: Path) -> None:
    task = training_task(foundation, tmp_path, steps=20, learning_rate=0.02)
    files = finish(task).adapter
    pipeline = StableDiffusionPipeline.from_pretrained(foundation, safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)

    def generate() -> np.ndarray:
        generator = torch.Generator().manual_seed(3)
        output = pipeline("photo of a sks man", num_inference_steps=4, generator=generator, output_type="latent")
        return np.asarray(output.images)

    bare, generated = generate(), []
    for key in (files.key, files.kohya_key):
        copy = tmp_path / Path(key).name
        copy.write_bytes(ArtifactStore.open(task.store_url).get_sync(key))
        pipeline.load_lora_weights(tmp_path, weight_name=copy.name)
        generated.append(generate())
        pipeline.unload_lora_weights()
    assert np.abs(generated[0] - bare).max() > 0.05
    np.testing.assert_allclose(generated[0], generated[1], atol=1e-4)


def test_the_adapter_of_another_training_is_not_overwritten(foundation: Path, tmp_path: Path) -> None:
    task = training_task(foundation, tmp_path, steps=2)
    files = finish(task).adapter
    other = JobRequest(task.request.photos[:2], task.request.output_prefix, "man", TrainingOptions(steps=2))
    clash = Task(**{**vars(task), "request": other})
    with pytest.raises(FailedPreconditionError) as caught:
        list(train(clash, crops_of(clash), lambda: False))
    assert caught.value.reason == "OUTPUT_TAKEN"
    assert ArtifactStore.open(task.store_url).exists_sync(files.key)


def test_a_run_that_is_stopped_anywhere_and_resumed_gives_the_same_bytes(
    judged_foundation: Path, tmp_path: Path
) -> None:
    """Stopped before, while and after portraits are judged; every file of the result is compared."""
    whole = events_of(judged_task(judged_foundation, tmp_path / "whole"), OneFaceAnalyzer())[-1]
    task = judged_task(judged_foundation, tmp_path / "stopped")
    assert isinstance(whole, Succeeded)
    events, rounds = events_of(task, OneFaceAnalyzer(), stop_after=9), 0
    while isinstance(events[-1], Stopped):
        rounds += 1
        # Four questions come before the first step: after encoding, after the captions, and in two sampling steps.
        events = events_of(task, OneFaceAnalyzer(), stop_after=4 + rounds % 3)
        assert rounds < 60
    assert rounds > 3, "the run must be interrupted several times"
    assert events[-1] == whole
    stores = [ArtifactStore.open((tmp_path / name / "objects").as_uri()) for name in ("whole", "stopped")]
    assert [store.list_sync(task.request.checkpoint_folder) for store in stores] == [[], []]
    for key in stores[0].list_sync(task.request.output_prefix):
        assert stores[0].get_sync(key) == stores[1].get_sync(key), key
