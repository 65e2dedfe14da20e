"""Captions say what was measured of a photo, and nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest

from headshots.faces import Face
from services.trainer.captions.filling import Shown, fill, what_is_shown

CAPTION = "portrait photo of {trigger} {class_noun}, {shown}"
PICTURE = np.full((1000, 1000, 3), 160, np.uint8)


def face(height_px: float, *, turned: float = 0.0, leaning: float = 0.0) -> Face:
    """With eyes 100 px apart; the nose is ``turned`` of that distance to the side, and the head leans, in degrees."""
    points = np.array([(-50, 0), (50, 0), (100 * turned, 50), (-30, 90), (30, 90)], np.float32)
    cos, sin = math.cos(math.radians(leaning)), math.sin(math.radians(leaning))
    turn = np.array([(cos, -sin), (sin, cos)], np.float32)
    landmarks = (points @ turn.T + 500).astype(np.float32)
    return Face((400.0, 0.0, 600.0, height_px), landmarks, np.ones(4, np.float32) / 2, 1.0)


@pytest.mark.parametrize(
    ("height_px", "words"),
    [(600, "close-up"), (450, "close-up"), (440, "headshot"), (200, "headshot"), (150, "upper body"), (60, "")],
)
def test_the_framing_follows_from_the_faces_share_of_the_picture(height_px: float, words: str) -> None:
    assert what_is_shown(face(height_px), PICTURE) == words


@pytest.mark.parametrize("leaning", [-40.0, 0.0, 40.0])
def test_a_turned_head_is_told_however_it_leans(leaning: float) -> None:
    assert what_is_shown(face(300, leaning=leaning), PICTURE) == "headshot"
    for turned in (-0.4, 0.4):
        assert what_is_shown(face(300, turned=turned, leaning=leaning), PICTURE) == "headshot, looking to the side"


def test_eyes_that_cannot_be_seen_are_told_and_no_reason_is_guessed() -> None:
    dark = PICTURE.copy()
    dark[470:530, 400:600] = 20
    assert what_is_shown(face(300), dark) == "headshot, eyes hidden"


def test_what_was_not_measured_is_left_out() -> None:
    words = {"trigger": "ohwx", "class_noun": "man"}
    assert fill(CAPTION, **words, shown=Shown("headshot")) == "portrait photo of ohwx man, headshot"
    assert fill(CAPTION, **words) == "portrait photo of ohwx man"
    assert fill(CAPTION, trigger="", class_noun="man", shown=Shown("close-up")) == "portrait photo of man, close-up"
    assert fill("selfie of a {trigger} {class_noun}", **words, shown=Shown("close-up")) == "selfie of a ohwx man"


def test_traits_have_a_place_of_their_own_in_a_caption() -> None:
    words, caption = {"trigger": "ohwx", "class_noun": "man"}, f"{CAPTION}, {{traits}}"
    assert fill(caption, **words, shown=Shown("headshot", "with a beard")) == (
        "portrait photo of ohwx man, headshot, with a beard"
    )
    assert (
        fill(caption, **words, shown=Shown(traits="wearing glasses")) == "portrait photo of ohwx man, wearing glasses"
    )
    assert fill(CAPTION, **words, shown=Shown("headshot", "with a beard")) == "portrait photo of ohwx man, headshot"
    assert fill(caption, **words) == "portrait photo of ohwx man"


def test_landmarks_in_one_spot_say_nothing_of_the_pose() -> None:
    nowhere = Face((0.0, 0.0, 500.0, 500.0), np.zeros((5, 2), np.float32), np.ones(1, np.float32), 1.0)
    assert what_is_shown(nowhere, PICTURE) == "close-up"
