"""What stock diffusers is asked to paint of an adapter, and how far that falls short of our pictures."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.training import stock
from benchmarks.training.painting import orders_of
from benchmarks.training.pictures import kept
from benchmarks.training.plan import Plan
from headshots.settings import default_foundation

PERSON = 3
OWN = np.array([[1.0, 0.0], [0.6, 0.8]], np.float32)


class Pipeline:
    """Keeps what it is asked for; its pictures are grey."""

    def __init__(self) -> None:
        self.adapters: list[bytes] = []
        self.asked: list[tuple[str, int]] = []
        self.settings: list[dict[str, Any]] = []

    def set_progress_bar_config(self, **_: object) -> None:
        pass

    def load_lora_weights(self, folder: str, weight_name: str) -> None:
        self.adapters.append((Path(folder) / weight_name).read_bytes())

    def __call__(self, prompts: list[str], *, generator: list[Any], **settings: Any) -> SimpleNamespace:
        self.asked += [(prompt, one.initial_seed()) for prompt, one in zip(prompts, generator, strict=True)]
        self.settings.append(settings)
        return SimpleNamespace(images=np.full((len(prompts), 128, 128, 3), 0.5))


def test_every_portrait_is_painted_with_all_of_the_adapter_and_compared_with_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, pipeline = Plan(default_foundation(), tmp_path, scenes=5, seeds=2), Pipeline()
    monkeypatch.setattr(stock.StableDiffusionPipeline, "from_pretrained", lambda *_, **__: pipeline)
    monkeypatch.setattr(stock, "adapter_of", lambda *_: b"the adapter")
    monkeypatch.setattr(stock, "load_judges", lambda: SimpleNamespace(same_person_from=0.75))
    monkeypatch.setattr(stock, "gallery", lambda *_: {PERSON: OWN})
    # The first five portraits have a mean cosine of 0.8, the others of 0.4.
    seen = np.array([[1.0, 0.0]] * 5 + [[0.0, 1.0]] * 5, np.float32)
    monkeypatch.setattr(stock, "embeddings", lambda _, pictures: seen[: len(pictures)])
    faces = {"likeness_true": 0.9, "likeness_doubles": 0.4, "face_share": 0.7}
    found = stock.measured(plan, PERSON, faces)
    assert found["face_share_stock"] == pytest.approx((0.6 - 0.4) / (0.9 - 0.4))
    assert found["stock_shortfall"] == pytest.approx(0.7 - 0.4)
    assert found["verified_stock"] == 0.5
    assert pipeline.adapters == [b"the adapter"]
    assert pipeline.asked == orders_of(plan, PERSON), "the prompts and seeds of ours"
    described = plan.described
    settings = {
        "num_inference_steps": described.steps,
        "guidance_scale": described.guidance_scale,
        "output_type": "np",
    }
    assert pipeline.settings == [settings] * 2, "no weight of the adapter, no share"
    assert kept(plan, "stock", PERSON).shape == (10, 128, 128, 3)
