"""Drawn portraits of several people, cut to one frame: eyes and heads agree, nothing beyond the picture is made up."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from foundry.portraits import held_out_seed, render_portrait, sample_identity, sample_scene
from foundry.portraits.render import Portrait
from headshots.errors import FieldViolation
from headshots.faces.bundled import BundledAnalyzer
from headshots.looks.consistency import Seen, consistency
from headshots.looks.cropping import Missed, cut_to_frame
from headshots.looks.frame import Frame, find_faults
from headshots.looks.measures import measure
from headshots.looks.placing import place
from headshots.settings import default_analyzer
from tests.support.images.pictures import backdrop

FRAME = Frame(96, 120)


@functools.cache
def analyzer() -> BundledAnalyzer:
    return BundledAnalyzer(default_analyzer())


@functools.cache
def portrait(number: int) -> Portrait:
    seed = held_out_seed(21_000 + number)
    asked = {"backdrop": "plain grey studio", "light": "soft studio lighting"}
    scene = sample_scene(np.random.default_rng([seed, 1]), "studio", **asked)
    return render_portrait(sample_identity(seed), scene, 128)


def test_eyes_and_heads_of_several_people_agree_to_one_percent() -> None:
    cuts = {number: cut_to_frame(analyzer(), portrait(number).pixels, FRAME) for number in range(6)}
    cut = {number: found.pixels for number, found in cuts.items() if found.missed is None}
    assert len(cut) >= 5
    assert {pixels.shape for pixels in cut.values()} == {(120, 96, 3)}
    # Looked at anew, in what was cut.
    told = consistency({number: Seen(measure(analyzer(), pixels), True) for number, pixels in cut.items()})
    assert told is not None
    assert told.eye_line_spread <= 0.01
    assert told.head_height_spread <= 0.01
    assert told.middle.eye_line == pytest.approx(FRAME.eye_line, abs=0.005)
    assert told.middle.head_height == pytest.approx(FRAME.head_height, abs=0.005)
    assert told.backdrop_delta_e is not None
    assert told.backdrop_delta_e < 5
    assert told.faults == {}


def test_the_eyes_are_where_they_were_drawn() -> None:
    for number in range(4):
        made = portrait(number)
        found = place(analyzer(), made.pixels)
        assert found is not None
        assert found.eye_line == pytest.approx(made.landmarks[:2, 1].mean() / 128, abs=0.01)
        assert found.centre == pytest.approx(made.landmarks[:2, 0].mean() / 128, abs=0.015)


@pytest.mark.parametrize(
    ("frame", "missed"),
    [
        (Frame(96, 120, 0.45, 0.4), Missed.OUTSIDE),
        (Frame(480, 600), Missed.TOO_FEW_PIXELS),
    ],
)
def test_a_frame_that_does_not_fit_leaves_the_picture_whole(frame: Frame, missed: Missed) -> None:
    pixels = portrait(0).pixels
    cut = cut_to_frame(analyzer(), pixels, frame)
    assert cut.missed is missed
    assert cut.pixels is pixels


def test_a_picture_without_a_face_is_not_cut() -> None:
    assert cut_to_frame(analyzer(), np.asarray(backdrop(1)), FRAME).missed is Missed.NO_FACE
    assert measure(analyzer(), np.asarray(backdrop(1))) is None


@pytest.mark.parametrize(
    ("frame", "fields"),
    [
        (Frame(96, 120), []),
        (Frame(96, 120, 0.36, 0.72), []),
        (Frame(96, 120, 0.252, 0.72), []),
        (Frame(96, 120, 0.249, 0.72), ["eye_line"]),
        (Frame(96, 120, 0.64, 0.72), []),
        (Frame(96, 120, 0.65, 0.72), ["eye_line"]),
        (Frame(96, 120, 0.35, 1.0), []),
        (Frame(64, 120, 0.5, 0.8), ["head_height"]),
        (Frame(63, 120), ["width_px"]),
        (Frame(96, 2049), ["height_px"]),
    ],
)
def test_frames_that_cut_a_head_are_told_by_their_fields(frame: Frame, fields: list[str]) -> None:
    found: list[FieldViolation] = list(find_faults(frame))
    assert [each.field for each in found] == fields


def test_light_from_the_left_is_told_from_light_from_the_right() -> None:
    pixels = portrait(0).pixels
    ramp = np.linspace(1.25, 0.75, pixels.shape[1])[None, :, None]
    lit = np.clip(pixels * ramp, 0, 255).astype(np.uint8)
    from_left, from_right = measure(analyzer(), lit), measure(analyzer(), np.ascontiguousarray(lit[:, ::-1]))
    assert from_left is not None
    assert from_right is not None
    assert from_left.light > 0.05 > -0.05 > from_right.light
