"""Class images are generated once for all trainings of a foundation."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline
from PIL import Image

from headshots.artifacts import ArtifactStore
from headshots.diffusion.foundations.foundation import Foundation
from services.trainer.lora import class_images
from services.trainer.lora.recipe import Recipe, TrainingOptions
from services.trainer.progress.phases import Entered, Phase
from services.trainer.queue.job import JobRequest
from services.trainer.run.messages import Task
from tests.support.foundations.tiny import make_tiny_foundation
from tests.support.trainer.foundation import described_foundation
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


class FakePipeline:
    """Records what it is asked, and paints one colour."""

    def __init__(self) -> None:
        self.prompts: list[str] = []
        self.negative: list[str] = []
        self.calls = 0

    def __call__(
        self, prompts: list[str], *, negative_prompt: list[str] | None, width: int, height: int, **_: Any
    ) -> Any:
        self.calls += 1
        self.prompts += prompts
        self.negative += negative_prompt or []
        return SimpleNamespace(images=[Image.new("RGB", (width, height))] * len(prompts))


def test_class_images_take_turns_at_the_prompts_and_are_led_away_from_the_negative_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, pipeline, store = described_foundation(tmp_path), FakePipeline(), ArtifactStore.open("memory:///")
    monkeypatch.setattr(class_images, "_load_pipeline", lambda *_: pipeline)

    told: list[Entered] = []

    def paint(foundation: Foundation, *prompts: str) -> int:
        recipe, cpu = Recipe(prior_images=5), torch.device("cpu")
        made = class_images.class_images(store, foundation, "d" * 64, recipe, prompts, cpu, lambda: None, told.append)
        return len(made)

    away = replace(plain, negative_prompt="cartoon")
    assert paint(away, "one", "two") == 5
    assert pipeline.prompts == ["one", "two", "one", "two", "one"]
    assert pipeline.negative == ["cartoon"] * 5
    assert [(each.phase, each.done, each.total, each.message.partition(";")[0]) for each in told] == [
        (Phase.CLASS_IMAGES, 0, 5, "painting other people, 0 of 5"),
        (Phase.CLASS_IMAGES, 4, 5, "painting other people, 4 of 5"),
    ]
    assert paint(away, "one", "two") == len(pipeline.prompts) == 5, "they are painted once"
    assert len(told) == 2, "nothing is painted, so nothing is told"
    assert paint(plain, "one", "two") == 5
    assert paint(away, "three") == 5
    assert len(pipeline.prompts) == 15, "other prompts make other images"
    assert len(pipeline.negative) == 10
    calls = pipeline.calls
    paint(replace(away, native_width_px=832, native_height_px=1216), "one")
    assert pipeline.calls - calls == 3, "large ones two at a time"


@pytest.mark.filterwarnings("ignore")
def test_class_images_are_sampled_as_the_foundation_says(tmp_path: Path) -> None:
    """Of a foundation with a fused few-step LoRA, whose folder names its former scheduler."""
    path, cpu = make_tiny_foundation(tmp_path / "foundation"), torch.device("cpu")
    (path / "headshots.yaml").write_text(
        "sampler: euler\nspacing: trailing\nsteps: 2\nguidance_scale: 2\nguidance_interval: [0, 0.9]\n"
    )
    foundation, store, asked = Foundation.read(path), ArtifactStore.open("memory:///"), Recipe(prior_images=2)
    images = class_images.class_images(store, foundation, "d" * 64, asked, ["a man"], cpu, lambda: None, print)
    # By hand: without guidance at 999, with guidance at 499.
    pipeline = StableDiffusionPipeline.from_pretrained(path, safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = EulerDiscreteScheduler.from_config(
        {**pipeline.scheduler.config, "timestep_spacing": "trailing"}
    )
    calls: list[int] = []
    pipeline.unet.register_forward_hook(lambda _, given, out: calls.append(len(given[0])))

    def unguided_first(_: Any, step: int, at: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        pipeline._guidance_scale = 2.0
        tensors["prompt_embeds"] = both
        return tensors

    both = torch.cat([pipeline.encode_prompt(text, cpu, 1, False)[0] for text in ("", "a man")])
    for seed, image in enumerate(images):
        wanted = pipeline(
            "a man", num_inference_steps=2, guidance_scale=1.0, generator=torch.Generator("cpu").manual_seed(seed),
            callback_on_step_end=unguided_first, callback_on_step_end_tensor_inputs=["prompt_embeds"],
        ).images[0]  # fmt: skip
        assert np.abs(np.asarray(wanted, np.int16) - image).max() <= 1
    assert calls == [1, 2] * 2
    other = replace(foundation, sampler="euler_ancestral")
    again = class_images.class_images(store, other, "d" * 64, asked, ["a man"], cpu, lambda: None, print)
    assert not np.array_equal(again[0], images[0]), "another sampler paints others"


def _pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))
