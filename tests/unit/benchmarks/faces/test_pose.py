"""A portrait's pose, from where its landmarks are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.faces.pose import Points, posed_like
from foundry.portraits import Identity, Scene, face_points, sample_identity, sample_scene

_PERSON = 1_700_000


def landmarks(identity: Identity, scene: Scene) -> Points:
    return face_points(identity, scene, 128) / np.float32(128)


def test_the_pose_of_a_true_render_is_found() -> None:
    for number in range(3):
        identity, rng = sample_identity(_PERSON + number), np.random.default_rng(number)
        true, other = sample_scene(rng), sample_scene(rng)
        found, off = posed_like(landmarks(identity, true), identity, other)
        assert off < 0.5
        assert abs(found.yaw - true.yaw) < 3
        assert abs(found.roll - true.roll) < 1
        assert abs(found.smile - true.smile) < 0.2
        assert abs(found.zoom - true.zoom) < 0.04
        # What landmarks do not tell stays, but for the wind.
        assert (found.outfit, found.backdrop, found.light) == (other.outfit, other.backdrop, other.light)
        assert found.wind == 0


def test_closer_framing_than_that_of_scenes_is_found() -> None:
    identity, rng = sample_identity(_PERSON), np.random.default_rng(5)
    true = sample_scene(rng, zoom=1.6, dy=9.0)
    found, off = posed_like(landmarks(identity, true), identity, sample_scene(rng))
    assert off < 0.5
    assert abs(found.zoom - 1.6) < 0.05
    assert abs(found.dy - 9) < 1.5


def test_the_face_of_another_person_does_not_fit() -> None:
    """A pose moves all landmarks together, so that proportions of somebody else stay off."""
    scene = sample_scene(np.random.default_rng(3))
    own, stranger = sample_identity(_PERSON), sample_identity(_PERSON + 1)
    _, off = posed_like(landmarks(stranger, scene), own, scene)
    assert off > 1


def test_landmarks_from_nowhere_give_a_pose_that_can_be_drawn() -> None:
    """Painted noise has landmarks too. Numbers stay within three spreads of studio scenes."""
    identity = sample_identity(_PERSON)
    scene = sample_scene(np.random.default_rng(4))
    found, off = posed_like(np.full((len(face_points(identity, scene)), 2), 0.01, np.float32), identity, scene)
    assert off > 10
    assert 0 < found.zoom < 2.1
    assert abs(found.yaw) < 40
    assert replace(found, yaw=0.0) != found
