"""Frames follow what a foundation tells of its heads: defaults have room in its portraits, others are told not to."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from foundry.framing import EYE_LINES, HEAD_HEIGHTS
from foundry.portraits import held_out_seed, render, sample_identity, sample_scene
from headshots.faces.bundled import BundledAnalyzer
from headshots.looks.cropping import cut_to_frame
from headshots.looks.fitting import Painted, find_misfits, fitted
from headshots.looks.frame import Frame, find_faults
from headshots.settings import default_analyzer

WIDE = Painted.told(HEAD_HEIGHTS["wide"], EYE_LINES["wide"], 128, 128)
CLOSE = Painted(0.78, 0.39, 1.0)


def test_a_foundation_that_tells_nothing_has_the_frames_that_it_had() -> None:
    assert WIDE is None
    assert fitted(96, 120, None) == Frame(96, 120, 0.45, 0.72) == Frame(96, 120)
    assert fitted(96, 120, None, eye_line=0.5) == Frame(96, 120, 0.5, 0.72)
    assert fitted(96, 120, None, head_height=0.75) == Frame(96, 120, 0.45, 0.75)


def test_the_default_has_room_on_a_foundation_that_tells_how_near_it_paints() -> None:
    assert Painted.told(HEAD_HEIGHTS["close"], EYE_LINES["close"], 128, 128) == CLOSE
    assert fitted(96, 120, CLOSE) == Frame(96, 120, 0.39, 0.94)
    assert Painted.told(0.6, None, 512, 640) == Painted(0.6, 0.45, 0.8)
    assert fitted(480, 600, Painted(0.6, 0.45, 0.8)) == Frame(480, 600, 0.45, 0.72)
    assert fitted(120, 120, Painted(0.6, 0.45, 0.8)).head_height == 0.9, "its sides are what has to have room"
    larger = dataclasses.replace(CLOSE, head_height=0.91)
    assert list(find_misfits(fitted(96, 120, CLOSE), larger)) == [], "a person whose head is painted so high"


@pytest.mark.parametrize("size", [(96, 120), (128, 128), (90, 120), (80, 120), (125, 120)])
@pytest.mark.parametrize("painted", [CLOSE, Painted(0.85, 0.45, 1.0), Painted(0.6, 0.24, 1.0), Painted(0.7, 0.6, 1.0)])
def test_a_default_is_no_frame_that_is_refused(size: tuple[int, int], painted: Painted) -> None:
    made = fitted(*size, painted)
    assert [*find_faults(made), *find_misfits(made, painted)] == []


def test_what_a_caller_names_stays_and_the_rest_follows() -> None:
    assert fitted(96, 120, CLOSE, eye_line=0.4) == Frame(96, 120, 0.4, 0.94)
    assert fitted(96, 120, CLOSE, head_height=0.8) == Frame(96, 120, 0.39, 0.8)
    assert fitted(96, 120, CLOSE, eye_line=0.5, head_height=0.5) == Frame(96, 120, 0.5, 0.5)
    # The head's sides would be cut by a portrait so narrow.
    assert fitted(80, 120, CLOSE).head_height == 0.88


@pytest.mark.parametrize(
    ("frame", "field", "words"),
    [
        (Frame(96, 120), "head_height", ["upper edge:", "0.78", "head height of 0.94", "eye line of 0.39"]),
        (Frame(96, 120, 0.39, 0.77), "head_height", ["upper edge and lower edge"]),
        (Frame(96, 120, 0.25, 0.8), "head_height", ["lower edge:"]),
        (Frame(160, 120, 0.39, 0.95), "width_px", ["sides", "71 to 153 px"]),
        (Frame(64, 120, 0.39, 0.7), "width_px", ["71 to 153 px"]),
    ],
)
def test_a_frame_that_usual_portraits_have_no_room_for_is_told_with_the_cure(
    frame: Frame, field: str, words: list[str]
) -> None:
    (found,) = find_misfits(frame, CLOSE)
    assert found.field == field
    assert all(word in found.description for word in words), found.description


def test_the_cure_of_an_impossible_frame_is_possible() -> None:
    (fault,) = find_faults(Frame(96, 120, 0.1, 0.817))
    told = fault.description.split("eye line of ")[1].split()[0]
    assert list(find_faults(Frame(96, 120, float(told), 0.817))) == []
    assert "15%" in fault.description


def test_true_close_portraits_are_cut_to_the_frame_that_their_foundation_gives() -> None:
    analyzer, frame = BundledAnalyzer(default_analyzer()), fitted(96, 120, CLOSE)
    seeds = [held_out_seed(23_000 + number) for number in range(4)]
    scenes = [sample_scene(np.random.default_rng([seed, 1]), "studio", "close") for seed in seeds]
    drawn = [render(sample_identity(seed), scene, 128) for seed, scene in zip(seeds, scenes, strict=True)]
    assert [cut_to_frame(analyzer, pixels, frame).missed for pixels in drawn] == [None] * 4
    assert all(cut_to_frame(analyzer, pixels, Frame(96, 120)).missed for pixels in drawn), (
        "which is not so of the wide one"
    )
