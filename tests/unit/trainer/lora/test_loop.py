"""The training loop on a tiny foundation: it learns, repeats itself, resumes, and others can read what it made."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import safetensors.numpy
import torch
import yaml
from diffusers import StableDiffusionPipeline
from PIL import Image

from headshots.artifacts import ArtifactStore
from headshots.diffusion.foundations.foundation import Foundation, foundation_digest
from headshots.errors import FailedPreconditionError
from services.trainer.lora import data_parallel
from services.trainer.lora.loop import Run
from services.trainer.lora.recipe import Recipe, TrainingOptions
from services.trainer.queue.job import AdapterFiles, JobRequest
from services.trainer.run.checkpoint import pack, unpack
from services.trainer.run.foundation_stamp import check_stamp, foundation_stamp
from services.trainer.run.messages import Progress, Started, Stopped, Succeeded, Task, encode
from services.trainer.run.photos import PhotoRef, Pixels, load_pictures
from services.trainer.run.preparing import prepare
from services.trainer.run.training import train
from tests.support.tiny import make_tiny_foundation
from tests.support.waiting import PATIENCE_SECONDS

REPOSITORY = Path(__file__).resolve().parents[4]

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def foundation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = make_tiny_foundation(tmp_path_factory.mktemp("tiny") / "foundation", prediction_type="v_prediction")
    _set_recipe(path, prior_rows=0)
    return path


def _set_recipe(path: Path, **training: object) -> None:
    settings = yaml.safe_load((path / "headshots.yaml").read_text())
    settings["training"] |= training
    (path / "headshots.yaml").write_text(yaml.safe_dump(settings))


def _task(foundation: Path, tmp_path: Path, **options: float) -> Task:
    """A task of three photos, stored below ``tmp_path``."""
    store = ArtifactStore.open((tmp_path / "objects").as_uri())
    photos = []
    for seed in range(3):
        pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        packed = io.BytesIO()
        Image.fromarray(pixels).resize((80, 96)).save(packed, "PNG")
        digest = hashlib.sha256(packed.getvalue()).hexdigest()
        store.put_sync(f"photos/{digest}.png", packed.getvalue())
        photos.append(PhotoRef(f"photos/{digest}.png", digest))
    request = JobRequest(tuple(photos), "tenants/t/adapters/a", "man", TrainingOptions(**options))  # type: ignore[arg-type]
    return Task(
        job_id="job",
        request=request,
        foundation=str(foundation),
        foundation_digest=foundation_digest(foundation),
        foundation_stamp=foundation_stamp(foundation),
        store_url=(tmp_path / "objects").as_uri(),
        device="cpu",
        threads=1,
        checkpoint_seconds=3600.0,
    )


def _pictures(task: Task) -> list[Pixels]:
    recipe = Recipe.resolve(Foundation.read(Path(task.foundation)), task.request.options)
    return load_pictures(ArtifactStore.open(task.store_url), task.request.photos, recipe, (64, 64))


def _run(task: Task) -> Run:
    """A prepared run that nobody drives yet."""
    foundation = Foundation.read(Path(task.foundation))
    recipe = Recipe.resolve(foundation, task.request.options)
    store = ArtifactStore.open(task.store_url)
    return prepare(task, _pictures(task), store, foundation, recipe, None, torch.device("cpu"), lambda: None).run


def _finish(task: Task) -> Succeeded:
    *_, last = train(task, _pictures(task), lambda: False)
    assert isinstance(last, Succeeded)
    return last


def test_loss_falls(foundation: Path, tmp_path: Path) -> None:
    run = _run(_task(foundation, tmp_path, steps=150, learning_rate=0.01, batch_rows=4))
    losses = [step.loss for step in run.steps()]
    assert np.mean(losses[-40:]) < 0.8 * np.mean(losses[:10])
    assert [step for step, _ in run.curve][-1] == 150


def test_only_the_adapter_learns(foundation: Path, tmp_path: Path) -> None:
    run = _run(_task(foundation, tmp_path, steps=3))
    before = {name: p.detach().clone() for name, p in run.unet.named_parameters() if not p.requires_grad}
    for _ in run.steps():
        pass
    for name, parameter in run.unet.named_parameters():
        if not parameter.requires_grad:
            assert torch.equal(parameter, before[name]), name
    adapted = {name.rsplit(".lora_", 1)[0] for name in run.weights()}
    layers = Foundation.read(foundation).adapted_layers
    assert all(any(name.endswith(f".{layer}") for name in adapted) for layer in layers)
    assert all(name.endswith(tuple(f".{layer}" for layer in layers)) for name in adapted)
    assert all(np.abs(matrix).max() > 0 for name, matrix in run.weights().items())


@pytest.mark.parametrize("processes", [1, 2])
def test_a_resumed_run_follows_the_uninterrupted_one(
    foundation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    monkeypatch.setattr(data_parallel, "LEAST_STEPS", 12)
    task = replace(_task(foundation, tmp_path, steps=12, learning_rate=0.01), processes=processes)
    whole, first, second = _run(task), _run(task), _run(task)
    for _ in whole.steps():
        pass
    for step in first.steps():
        if step.number == 5:
            break
    snapshot = unpack(pack(first.snapshot(), "mark"), "mark")
    assert snapshot is not None
    assert snapshot.step == 5
    second.restore(snapshot)
    for _ in second.steps():
        pass
    for name, matrix in whole.weights().items():
        np.testing.assert_allclose(second.weights()[name], matrix, rtol=1e-5, atol=1e-8, err_msg=name)
    assert second.curve == whole.curve
    for run in (whole, first, second):
        assert run._mates.count == processes - 1
        run.end()


def test_processes_that_share_a_steps_rows_learn_what_one_does(
    foundation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_parallel, "LEAST_STEPS", 6)
    alone_task = _task(foundation, tmp_path, steps=6, learning_rate=0.01, batch_rows=3)
    alone, together = _run(alone_task), _run(replace(alone_task, processes=2))
    [mate] = [each for each in psutil.Process().children(recursive=True) if "spawn_main" in " ".join(each.cmdline())]
    start = np.concatenate([matrix.ravel() for matrix in alone.weights().values()])
    losses = [[step.loss for step in run.steps()] for run in (alone, together)]
    np.testing.assert_allclose(losses[1][0], losses[0][0], rtol=1e-5)
    # Sums come in another order, and where a CPU has bf16, merged weights round another way here and there; what Adam
    # makes of gradients near zero differs wholly then.
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-2)
    learned, learned_together = (
        np.concatenate([m.ravel() for m in run.weights().values()]) for run in (alone, together)
    )
    assert np.linalg.norm(learned_together - learned) < 0.1 * np.linalg.norm(learned - start)
    together.end()
    assert not mate.is_running()


def test_no_more_processes_than_rows_are_started_and_none_for_a_short_run(
    foundation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = replace(_task(foundation, tmp_path, steps=2, batch_rows=2), processes=5)
    assert _run(task)._mates.count == 0
    monkeypatch.setattr(data_parallel, "LEAST_STEPS", 2)
    run = _run(task)
    assert run._mates.count == 1
    assert [step.number for step in run.steps()] == [1, 2]
    run.end()


LOSING_A_MATE = """
import sys, psutil, torch
from pathlib import Path
from headshots.artifacts import ArtifactStore
from headshots.diffusion.foundations.foundation import Foundation
from services.trainer.lora.recipe import Recipe
from services.trainer.run.photos import load_pictures
from services.trainer.run.preparing import prepare
from services.trainer.run.messages import decode_task

if __name__ == "__main__":
    task = decode_task(sys.argv[1].encode())
    foundation, store = Foundation.read(Path(task.foundation)), ArtifactStore.open(task.store_url)
    recipe = Recipe.resolve(foundation, task.request.options)
    pictures = load_pictures(store, task.request.photos, recipe, (64, 64))
    run = prepare(task, pictures, store, foundation, recipe, None, torch.device("cpu"), lambda: None).run
    for step in run.steps():
        print(step.number, flush=True)
        if step.number == 2:
            [mate] = [each for each in psutil.Process().children(True) if "spawn_main" in " ".join(each.cmdline())]
            mate.kill()
"""


def test_a_run_whose_mate_is_killed_ends_as_if_it_were_killed_itself(foundation: Path, tmp_path: Path) -> None:
    task = replace(_task(foundation, tmp_path, steps=200, batch_rows=2), processes=2)
    script = tmp_path / "losing.py"
    script.write_text(LOSING_A_MATE)
    done = subprocess.run(
        [sys.executable, str(script), encode(task).decode()],
        stdout=subprocess.PIPE,
        timeout=PATIENCE_SECONDS,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split() == [b"1", b"2"]


def test_another_runs_snapshot_is_not_taken_up(foundation: Path, tmp_path: Path) -> None:
    run = _run(_task(foundation, tmp_path, steps=2))
    for _ in run.steps():
        break
    assert unpack(pack(run.snapshot(), "one"), "other") is None


def test_stopped_in_the_middle_and_taken_up_again(foundation: Path, tmp_path: Path) -> None:
    task = _task(foundation, tmp_path, steps=8)
    polls = iter([False] * 14 + [True] * 100)
    first = list(train(task, _pictures(task), lambda: next(polls)))
    assert isinstance(first[-1], Stopped)
    assert 0 < first[-1].step < 8
    store = ArtifactStore.open(task.store_url)
    assert len(store.list_sync(f"{task.request.output_prefix}/checkpoints")) == 1
    second = list(train(task, _pictures(task), lambda: False))
    assert second[0] == Started(first[-1].step, 8, second[0].curve)  # type: ignore[union-attr]
    assert sum(len(event.step_seconds) for event in second if isinstance(event, Progress)) == 8 - first[-1].step
    assert isinstance(second[-1], Succeeded)
    assert store.list_sync(f"{task.request.output_prefix}/checkpoints") == []
    # A third run finds the work done, and does none.
    assert list(train(task, _pictures(task), lambda: False)) == [second[-1]]


def test_same_photos_and_seed_same_bytes(foundation: Path, tmp_path: Path) -> None:
    results = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        task = _task(foundation, tmp_path / name, steps=3, seed=seed)
        files = _finish(task).adapter
        store = ArtifactStore.open(task.store_url)
        results.append([store.get_sync(key) for key in (files.key, files.kohya_key, files.manifest_key)])
    assert results[0] == results[1]
    assert results[0][0] != results[2][0]


# What ModelSpec demands of every file, and what it knows of ours besides.
MODELSPEC = [
    f"modelspec.{name}"
    for name in (
        "sai_model_spec",
        "architecture",
        "implementation",
        "title",
        "resolution",
        "prediction_type",
        "trigger_phrase",
    )
]
# By which kohya's tools and their heirs tell what the network is, and for which model.
KOHYA = {
    "ss_network_module": "networks.lora",
    "ss_network_dim": "2",
    "ss_network_alpha": "2.0",
    "ss_base_model_version": "sd_v1",
    "ss_v2": "False",
    "ss_steps": "4",
    "ss_resolution": "(64, 64)",
}


def test_what_the_files_say_of_themselves(foundation: Path, tmp_path: Path) -> None:
    task = _task(foundation, tmp_path, steps=4, rank=2)
    files = _finish(task).adapter
    store = ArtifactStore.open(task.store_url)
    data, kohya = store.get_sync(files.key), store.get_sync(files.kohya_key)
    manifest = json.loads(store.get_sync(files.manifest_key))
    assert files.sha256 == hashlib.sha256(data).hexdigest() == manifest["adapter"]["sha256"]
    for name, key in (("kohya", "adapter.kohya.safetensors"), ("sheet", "sheet.jpg"), ("card", "README.md")):
        stored = store.get_sync(f"{task.request.output_prefix}/{key}")
        assert manifest[f"{name}_sha256"] == hashlib.sha256(stored).hexdigest()
    assert AdapterFiles(**manifest["adapter"]) == files
    assert (files.size_bytes, files.rank, files.trigger) == (len(data), 2, "sks")
    assert manifest["photos"] == [photo.sha256 for photo in task.request.photos]
    assert [point[0] for point in manifest["curve"]] == [1, 2, 3, 4]
    header, kohya_header = _header(data), _header(kohya)
    for facts in (header, kohya_header):
        assert facts["foundation_digest"] == task.foundation_digest
        assert (facts["rank"], facts["alpha"], facts["trigger"]) == ("2", "2", "sks")
        assert json.loads(facts["recipe"])["steps"] == 4
        assert {key.removeprefix("modelspec."): value for key, value in facts.items() if key in MODELSPEC} == {
            "sai_model_spec": "1.0.1",
            "architecture": "stable-diffusion-v1/lora",
            "implementation": "diffusers",
            "title": "headshots of a man",
            "resolution": "64x64",
            "prediction_type": "v",
            "trigger_phrase": "sks man",
        }
    assert json.loads(header["lora_adapter_metadata"])["unet.lora_alpha"] == 2
    assert {key: kohya_header[key] for key in KOHYA} == KOHYA
    assert not any(key.startswith("ss_") for key in header)
    assert "lora_adapter_metadata" not in kohya_header
    assert not any(name.endswith(".alpha") for name in safetensors.numpy.load(data))


def _header(data: bytes) -> dict[str, str]:
    metadata: dict[str, str] = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    return metadata


@pytest.mark.filterwarnings("ignore")
def test_stock_diffusers_paints_alike_with_either_file(foundation: Path, tmp_path: Path) -> None:
    task = _task(foundation, tmp_path, steps=20, learning_rate=0.02)
    files = _finish(task).adapter
    pipeline = StableDiffusionPipeline.from_pretrained(foundation, safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)

    def paint() -> np.ndarray:
        generator = torch.Generator().manual_seed(3)
        output = pipeline("photo of a sks man", num_inference_steps=4, generator=generator, output_type="latent")
        return np.asarray(output.images)

    bare, painted = paint(), []
    for key in (files.key, files.kohya_key):
        copy = tmp_path / Path(key).name
        copy.write_bytes(ArtifactStore.open(task.store_url).get_sync(key))
        pipeline.load_lora_weights(tmp_path, weight_name=copy.name)
        painted.append(paint())
        pipeline.unload_lora_weights()
    assert np.abs(painted[0] - bare).max() > 0.05
    np.testing.assert_allclose(painted[0], painted[1], atol=1e-4)


def test_a_diverging_run_says_so(foundation: Path, tmp_path: Path) -> None:
    run = _run(_task(foundation, tmp_path, steps=5))
    for parameter in run.unet.parameters():
        if parameter.requires_grad:
            parameter.data.fill_(float("nan"))
            break
    with pytest.raises(FailedPreconditionError, match="learning rate") as caught:
        list(run.steps())
    assert caught.value.reason == "TRAINING_DIVERGED"


def test_a_vae_that_yields_nan_is_an_error(foundation: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    make_tiny_foundation(broken)
    weights = broken / "vae" / "diffusion_pytorch_model.safetensors"
    arrays = safetensors.numpy.load_file(weights)
    arrays["encoder.conv_in.bias"][:] = np.nan
    safetensors.numpy.save_file(arrays, weights, metadata={"format": "pt"})
    _set_recipe(broken, prior_rows=0)
    with pytest.raises(FailedPreconditionError) as caught:
        _run(_task(broken, tmp_path))
    assert caught.value.reason == "LATENTS_NOT_FINITE"


@pytest.mark.filterwarnings("ignore")
def test_class_pictures_are_painted_once_for_all_trainings(tmp_path: Path) -> None:
    path = make_tiny_foundation(tmp_path / "foundation")
    _set_recipe(path, prior_rows=2, prior_images=3)
    task = _task(path, tmp_path, steps=2)
    _finish(task)
    store = ArtifactStore.open(task.store_url)
    keys = store.list_sync(f"foundations/{task.foundation_digest}/class")
    assert len(keys) == 3
    assert Image.open(io.BytesIO(store.get_sync(keys[0]))).size == (64, 64)
    # A store that lost one has it painted again, the same.
    lost = store.get_sync(keys[1])
    store.delete_sync(keys[1])
    other = Task(**{**vars(task), "request": JobRequest(task.request.photos, "other", "man", TrainingOptions(steps=1))})
    _finish(other)
    assert store.list_sync(f"foundations/{task.foundation_digest}/class") == keys
    np.testing.assert_array_equal(_pixels(store.get_sync(keys[1])), _pixels(lost))


def _pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def test_anothers_adapter_under_the_prefix_is_left_alone(foundation: Path, tmp_path: Path) -> None:
    task = _task(foundation, tmp_path, steps=2)
    files = _finish(task).adapter
    other = JobRequest(task.request.photos[:2], task.request.output_prefix, "man", TrainingOptions(steps=2))
    clash = Task(**{**vars(task), "request": other})
    with pytest.raises(FailedPreconditionError) as caught:
        list(train(clash, _pictures(clash), lambda: False))
    assert caught.value.reason == "OUTPUT_TAKEN"
    assert ArtifactStore.open(task.store_url).exists_sync(files.key)


def test_a_foundation_that_was_exchanged_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "foundation"
    (folder / "unet").mkdir(parents=True)
    (folder / "unet" / "model.safetensors").write_bytes(b"old weights")
    stamp = foundation_stamp(folder)
    check_stamp(folder, stamp)
    (folder / "unet" / "model.safetensors").write_bytes(b"other and more weights")
    with pytest.raises(FailedPreconditionError) as caught:
        check_stamp(folder, stamp)
    assert caught.value.reason == "FOUNDATION_CHANGED"
