"""The drawn world: the same every time, varied, labelled with the truth, and torch-free."""

from __future__ import annotations

import dataclasses
import io
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from foundry.dataset import captions, example
from foundry.portraits import (
    ANYBODY,
    BACKDROPS,
    CLASS_NOUNS,
    LIGHTS,
    OUTFITS,
    caption,
    face_truth,
    held_out_seed,
    is_held_out,
    render,
    render_portrait,
    sample_identity,
    sample_scene,
    sample_selfies,
    sibling,
)
from headshots.faces import Part


def test_the_world_is_as_large_as_promised() -> None:
    assert len(set(OUTFITS)) >= 12
    assert len(set(BACKDROPS)) >= 12
    assert len(set(LIGHTS)) >= 5
    assert len(dataclasses.fields(sample_identity(0))) >= 30


def test_the_same_person_in_the_same_scene_is_the_same_picture() -> None:
    scene = sample_scene(np.random.default_rng(5))
    pictures = [render(sample_identity(11), scene) for _ in range(2)]
    assert pictures[0].shape == (128, 128, 3)
    assert pictures[0].dtype == np.uint8
    assert np.array_equal(*pictures)


def test_a_picture_is_the_same_in_another_process() -> None:
    code = (
        "from foundry.dataset import *; import hashlib; print(hashlib.sha256(render_range(0, 2).tobytes()).hexdigest())"
    )
    digests = {subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)}
    assert len(digests) == 1


def test_framings_differ_in_the_camera_alone() -> None:
    for kind in ("studio", "selfie"):
        wide, close = (sample_scene(np.random.default_rng(5), kind, framing) for framing in ("wide", "close"))
        assert sample_scene(np.random.default_rng(5), kind) == wide
        assert dataclasses.replace(close, zoom=wide.zoom, dx=wide.dx, dy=wide.dy) == wide
        assert close.zoom > 1.2 * wide.zoom


def test_a_close_face_is_whole_and_its_eyes_have_far_more_cells() -> None:
    for number in range(0, 300, 3):
        scenes = [sample_scene(np.random.default_rng(number), "studio", framing) for framing in ("wide", "close")]
        (wide, _), (close, (left, top, right, bottom)) = (face_truth(sample_identity(number), one) for one in scenes)
        apart = [float(np.linalg.norm(places[1] - places[0])) for places in (wide, close)]
        assert apart[1] ** 2 > 1.5 * apart[0] ** 2
        # The skull may reach beyond the upper edge, the chin has a neck below it.
        assert min(left, 128 - right) > 0
        assert top > -8
        assert bottom < 120


def test_people_differ_more_than_one_person_between_close_poses() -> None:
    scene = sample_scene(np.random.default_rng(1), yaw=0.0, roll=0.0)
    people = [render(sample_identity(seed), scene).astype(float) for seed in range(12)]
    turned = render(sample_identity(0), dataclasses.replace(scene, yaw=2.0)).astype(float)
    strangers = [np.abs(people[0] - other).mean() for other in people[1:]]
    assert np.abs(people[0] - turned).mean() < min(strangers)


def test_training_and_held_out_people_are_disjoint() -> None:
    trained = {example(index)[0].seed for index in range(0, 40_000, 997)}
    measured = {example(index, held_out=True)[0].seed for index in range(0, 40_000, 997)}
    assert not any(is_held_out(seed) for seed in trained)
    assert all(is_held_out(seed) for seed in measured)
    assert is_held_out(held_out_seed(7))


def test_a_sibling_shares_most_parameters_but_is_somebody_else() -> None:
    person = sample_identity(3)
    relative = sibling(person, 4, likeness=0.6)
    names = [field.name for field in dataclasses.fields(person)]
    shared = sum(getattr(person, name) == getattr(relative, name) for name in names)
    strangers = sum(getattr(person, name) == getattr(sample_identity(4), name) for name in names)
    assert relative.class_noun == person.class_noun
    assert strangers < shared < len(names)


def test_women_have_no_beards() -> None:
    people = [sample_identity(seed) for seed in range(200)]
    assert {person.beard for person in people if person.class_noun == "woman"} == {"none"}
    assert len({person.beard for person in people if person.class_noun == "man"}) == 3


@pytest.mark.parametrize("index", range(8))
def test_captions_say_what_is_to_be_learned(index: int) -> None:
    identity, scene = example(index)
    for text in captions(index):
        assert re.search(rf"\b({identity.class_noun}|{ANYBODY})\b", text)
        for words in (scene.outfit, scene.backdrop, scene.light):
            assert words in text


def test_captions_say_person_of_men_and_women() -> None:
    called = {example(index)[0].class_noun for index in range(200) if any(ANYBODY in text for text in captions(index))}
    assert called == set(CLASS_NOUNS)


def test_a_subject_takes_the_place_of_the_description() -> None:
    identity, scene = example(0)
    text = caption(identity, scene, np.random.default_rng(0), "ohwx man")
    assert "of a ohwx man" in text
    assert "haired" not in text


def test_the_truth_lies_where_the_face_is() -> None:
    portrait = render_portrait(sample_identity(21), sample_scene(np.random.default_rng(2)))
    left, top, right, bottom = portrait.box
    for x, y in portrait.landmarks:
        assert left < x < right
        assert top < y < bottom
        assert portrait.face_mask[int(y), int(x)] > 0.5
    assert portrait.landmarks[0, 0] < portrait.landmarks[1, 0]
    assert portrait.landmarks[0, 1] < portrait.landmarks[3, 1]
    assert 0.3 < portrait.subject_mask.mean() < 0.8
    assert 0.35 < (bottom - top) / 128 < 0.75


def test_the_parts_cover_the_subject_and_lie_where_they_belong() -> None:
    identity, scene = sample_identity(21), sample_scene(np.random.default_rng(2))
    portrait = render_portrait(identity, scene)
    assert np.array_equal(portrait.parts != Part.BACKDROP, portrait.subject_mask >= 0.5)
    left_eye, chest = portrait.landmarks[0], (64, 124)
    crown = int(np.argmax(portrait.parts[:, 64] != Part.BACKDROP))
    assert portrait.parts[int(left_eye[1]), int(left_eye[0])] == Part.FACE
    assert portrait.parts[chest[1], chest[0]] == Part.CLOTHES
    assert portrait.parts[crown + 2, 64] == Part.HAIR
    assert portrait.parts[2, 2] == Part.BACKDROP


def test_the_truth_is_told_without_drawing() -> None:
    identity, scene = sample_identity(5), sample_scene(np.random.default_rng(7), "selfie")
    portrait = render_portrait(identity, scene, 256)
    landmarks, box = face_truth(identity, scene, 256)
    assert np.array_equal(landmarks, portrait.landmarks)
    assert box == portrait.box


def test_other_sizes_show_the_same_picture() -> None:
    identity, scene = sample_identity(9), sample_scene(np.random.default_rng(9), blur=0.0)
    small, large = render(identity, scene, 128), render(identity, scene, 256)
    shrunk = np.asarray(Image.fromarray(large).reduce(2), float)
    assert np.abs(shrunk - small).mean() < 3


@pytest.mark.parametrize("size", [0, 100, 2048])
def test_impossible_sizes_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="multiple of 16"):
        render(sample_identity(0), sample_scene(np.random.default_rng(0)), size)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown outfit 'toga'"):
        sample_scene(np.random.default_rng(0), outfit="toga")
    with pytest.raises(ValueError, match="unknown kind"):
        sample_scene(np.random.default_rng(0), "passport")
    with pytest.raises(ValueError, match="framing 'cropped'; know wide, close"):
        sample_scene(np.random.default_rng(0), framing="cropped")


def test_selfies_are_jpegs_that_differ() -> None:
    files = sample_selfies(held_out_seed(7), 3)
    assert len(set(files)) == 3
    assert files == sample_selfies(held_out_seed(7), 3)
    for data in files:
        with Image.open(io.BytesIO(data)) as image:
            assert image.format == "JPEG"
            assert image.size == (256, 256)


def test_drawing_needs_no_torch() -> None:
    code = "import sys; sys.modules['torch'] = None; import foundry.portraits, foundry.dataset"
    subprocess.run([sys.executable, "-c", code], check=True)
