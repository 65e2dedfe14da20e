"""A foundation's card tells how its portraits are framed, and all that is drawn beside them is framed alike."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
import yaml
from diffusers import StableDiffusionPipeline

from benchmarks.acceptance.people import Person, true_portrait
from benchmarks.faces.pose import posed_like
from benchmarks.training import reference
from benchmarks.training.plan import Plan
from foundry import evaluate, train_unet
from foundry.framing import HEAD_HEIGHTS, framing_at
from foundry.make_foundation import stages
from foundry.model_settings import FRAMING, settings, write_settings
from foundry.portraits import FRAMINGS, face_points, render, sample_identity, sample_scene
from headshots.faces import FaceAnalyzer, Pixels, open_analyzer
from headshots.looks.placing import head_of
from headshots.settings import default_foundation
from headshots.styles.library import StyleLibrary
from services.gateway.settings import default_styles
from tests.support.trainer.foundation import described_foundation


@pytest.fixture(scope="module")
def analyzer() -> FaceAnalyzer:
    found = open_analyzer("bundled")
    assert found is not None
    return found


@pytest.fixture
def close(tmp_path: Path) -> Path:
    """A foundation of close portraits, as its card says."""
    described_foundation(tmp_path)
    write_settings(tmp_path / "headshots.yaml", "close")
    return tmp_path


def head_height(analyzer: FaceAnalyzer, pictures: list[Pixels]) -> float:
    """The median, a share of the picture's height."""
    return float(np.median([head_of(analyzer.faces(one)[0].landmarks)[2] / len(one) for one in pictures]))


def test_the_card_tells_the_framing(close: Path) -> None:
    assert framing_at(default_foundation()) == FRAMING
    assert framing_at(close) == "close"
    assert HEAD_HEIGHTS.keys() == FRAMINGS.keys()
    assert "head_height" not in settings("wide"), "as selfies are, which trainings take whole"
    card = yaml.safe_load((close / "headshots.yaml").read_text())
    (close / "headshots.yaml").write_text(yaml.safe_dump({**card, "head_height": 0.5}))
    with pytest.raises(ValueError, match=r"no framing with head_height 0.5; write 0.78 \(close\)"):
        framing_at(close)


def test_heads_are_as_high_as_the_card_says(analyzer: FaceAnalyzer) -> None:
    scenes = [sample_scene(np.random.default_rng([number, 7]), "studio", "close") for number in range(24)]
    drawn = [render(sample_identity(number), scene, 128) for number, scene in enumerate(scenes)]
    assert head_height(analyzer, drawn) == pytest.approx(HEAD_HEIGHTS["close"], abs=0.04)


def test_true_portraits_are_framed_as_those_beside_them(close: Path, analyzer: FaceAnalyzer) -> None:
    plan = Plan(foundation=close, out=close / "out")
    assert plan.framing == "close"
    drawn = [reference._drawn(plan, number)[0].pixels for number in range(6)]
    assert head_height(analyzer, drawn) > 0.7
    style = StyleLibrary.load(default_styles()).get("studio-navy-suit")
    portraits = [true_portrait(Person(number), style, 0, 128, "close") for number in range(4)]
    assert head_height(analyzer, portraits) > 0.7


def test_a_close_pose_is_as_likely_as_a_close_foundation_makes_it() -> None:
    identity, scene = sample_identity(3), sample_scene(np.random.default_rng(1), "studio", "close")
    nowhere = np.full_like(face_points(identity, scene, 128), 0.5)
    # Landmarks that tell little leave the pose near the usual one.
    zooms = [posed_like(nowhere, identity, scene, framing)[0].zoom for framing in ("wide", "close")]
    assert zooms[1] > zooms[0]


class _Asked(Exception):
    """Ends a measuring where the true pictures are asked for."""


def test_scores_are_told_beside_true_pictures_of_the_models_own_framing(
    close: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(*args: object, held_out: bool, framing: str) -> Pixels:
        raise _Asked(framing)

    class Quiet:
        def set_progress_bar_config(self, **_: object) -> None: ...

    monkeypatch.setattr(StableDiffusionPipeline, "from_pretrained", lambda path: Quiet())
    monkeypatch.setattr(evaluate, "render_range", draw)
    with pytest.raises(_Asked, match="close"):
        evaluate.evaluate(close, None, 1, 1)  # type: ignore[arg-type]


def test_all_stages_of_a_new_foundation_are_of_one_framing() -> None:
    options = {"work": Path("w"), "out": Path("o"), "pictures": 60, "minutes": 1.0, "ranks": 1, "toy": False}
    made = {
        (framing, channels): stages(argparse.Namespace(**options, framing=framing, channels=channels))
        for framing, channels in (("wide", 16), ("close", 32))
    }
    for (framing, _), commands in made.items():
        told = {each[0]: each[each.index("--framing") + 1] for each in commands if "--framing" in each}
        assert told == dict.fromkeys(("foundry.train_unet", "foundry.train_autoencoder", "foundry.export"), framing)
    # Kept portraits are of neither close framing nor 32 channels: the UNet refuses them.
    for key, commands in made.items():
        asked = train_unet.parser().parse_args(commands[0][1:])
        assert train_unet.settings_of(asked).portraits.channels == key[1]
