"""Glasses and beards of drawn people who are held out: answers are right, and what is not seen well is not answered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from benchmarks.people.traits import count, drawn
from foundry.portraits import FIRST_HELD_OUT, sample_identity, sample_scene
from foundry.portraits.render import render
from headshots.faces import Face, FaceAnalyzer, Pixels, Traits, open_analyzer


@pytest.fixture(scope="module")
def analyzer() -> FaceAnalyzer:
    found = open_analyzer("bundled")
    assert found is not None
    return found


def portrait(*, glasses: str = "none", beard: str = "none", hair: str = "black", size: int = 256) -> Pixels:
    """Always of the same man with light skin, before the same wall."""
    person = replace(
        sample_identity(FIRST_HELD_OUT), class_noun="man", glasses=glasses, glasses_colour=0, beard=beard,
        moustache=True, skin_tone=0.2, hair_colour=hair, hair_style="short", lip_redness=0.1, beard_density=1.0,
    )  # fmt: skip
    scene = sample_scene(np.random.default_rng(5), "studio", light="soft studio lighting", yaw=0.0, smile=0.2)
    return np.array(render(person, scene, size))


def traits_of(analyzer: FaceAnalyzer, pixels: Pixels) -> Traits:
    found = analyzer.traits(pixels, analyzer.faces(pixels)[0])
    assert found is not None
    return found


def test_answers_are_right_and_most_glasses_and_beards_are_seen(analyzer: FaceAnalyzer) -> None:
    told = count(analyzer, drawn(FIRST_HELD_OUT, 60))
    for name, seen in (("glasses", 0.5), ("beard", 0.5)):
        yes, no, unknown = (told.get(f"{name} yes {answer}", 0) for answer in ("yes", "no", "unknown"))
        assert told.get(f"{name} no yes", 0) + no <= 1, told
        assert yes >= seen * (yes + no + unknown), told
        assert told[f"{name} no no"] >= 12, told


@pytest.mark.parametrize("glasses", ["none", "round", "square"])
@pytest.mark.parametrize("beard", ["none", "full"])
def test_one_face_with_and_without(analyzer: FaceAnalyzer, glasses: str, beard: str) -> None:
    told = traits_of(analyzer, portrait(glasses=glasses, beard=beard))
    assert told.glasses.present is (glasses != "none")
    assert told.beard.present is (beard != "none")
    assert min(told.glasses.score, told.beard.score) >= 0


def test_rims_without_a_bridge_are_not_taken_for_glasses(analyzer: FaceAnalyzer) -> None:
    pixels = portrait(glasses="square")
    face = analyzer.faces(pixels)[0]
    (x, y), apart = face.landmarks[:2].mean(axis=0), face.landmarks[1, 0] - face.landmarks[0, 0]
    rows, columns = ((round(at - 0.4 * apart), round(at + 0.4 * apart)) for at in (y, x))
    # Skin of one colour where the bridge was; what is below the eyes stays.
    pixels[slice(*rows), slice(columns[0] + 8, columns[1] - 8)] = pixels[round(y + 0.45 * apart), round(x)]
    told = analyzer.traits(pixels, face)
    assert told is not None
    assert told.glasses.score >= 6.5, "the rims are seen"
    assert told.glasses.present is None


def test_a_chin_in_shadow_is_no_beard(analyzer: FaceAnalyzer) -> None:
    pixels = portrait()
    face = analyzer.faces(pixels)[0]
    down = (np.arange(len(pixels)) - face.landmarks[2, 1]) / (face.landmarks[3, 1] - face.landmarks[2, 1])
    shadow = (1 - 0.3 * down).clip(0.2, 1)[:, None, None]
    told = analyzer.traits((pixels * shadow).astype(np.uint8), face)
    assert told is not None
    assert told.beard.present is not True
    assert told.beard.score < 4


def test_what_is_not_seen_well_is_not_answered(analyzer: FaceAnalyzer) -> None:
    for beard in ("full", "none"):
        pixels = portrait(glasses="square", beard=beard)
        face = analyzer.faces(pixels)[0]
        grey = np.asarray(Image.fromarray(pixels).convert("L").convert("RGB"))
        told = analyzer.traits(grey, face)
        assert told is not None
        assert told.beard.present is None, "a picture without colours tells no beard from a shadow"
        assert told.glasses.present is True
    turned = face.landmarks.copy()
    turned[2, 0] += 0.35 * (turned[1, 0] - turned[0, 0])
    shrunk = np.asarray(Image.fromarray(pixels).resize((48, 48), Image.Resampling.BOX))
    small = Face(face.box, face.landmarks * np.float32(48 / 256), face.embedding, face.score)
    for picture, seen in ((pixels, replace(face, landmarks=turned)), (shrunk, small)):
        told = analyzer.traits(picture, seen)
        assert told is not None
        assert (told.glasses.present, told.beard.present) == (None, None)


def test_landmarks_beyond_the_picture_tell_something(analyzer: FaceAnalyzer) -> None:
    pixels = portrait()
    face = analyzer.faces(pixels)[0]
    for shift in (-300.0, 300.0):
        away = replace(face, landmarks=face.landmarks + np.float32(shift))
        assert analyzer.traits(pixels, away) is not None
