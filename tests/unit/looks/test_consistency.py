"""Colours are as far apart as the published pairs say; what falls out of a team is told by its measure."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from headshots.looks.colours import Lab, delta_e, to_lab
from headshots.looks.consistency import Fault, Seen, consistency, deviations, distance
from headshots.looks.measures import Measures

GOOD = Measures(0.45, 0.72, 0.02, (60.0, 0.0, -3.0))


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
        ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0009), 7.1792),
        ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0011), 7.2195),
        ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_distances_are_those_of_the_published_pairs(one: Lab, other: Lab, apart: float) -> None:
    assert delta_e(one, other) == pytest.approx(apart, abs=1e-4)
    assert delta_e(other, one) == pytest.approx(apart, abs=1e-4)


def test_srgb_becomes_lab() -> None:
    colours = np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 0, 255]], np.uint8)
    expected = [(100, 0, 0), (0, 0, 0), (53.24, 80.09, 67.20), (32.30, 79.19, -107.86)]
    assert np.allclose(to_lab(colours), expected, atol=0.1)


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        ({}, ()),
        ({"eye_line": 0.459}, ()),
        ({"eye_line": 0.4611}, (Fault.EYE_LINE,)),
        ({"head_height": 0.7089}, (Fault.HEAD_HEIGHT,)),
        ({"light": 0.2}, (Fault.LIGHT,)),
        ({"backdrop": (70.0, 0.0, -3.0)}, (Fault.BACKDROP,)),
        ({"backdrop": None}, ()),
        ({"eye_line": 0.4, "light": -0.5}, (Fault.EYE_LINE, Fault.LIGHT)),
    ],
)
def test_what_falls_out_is_told_by_its_measure(change: dict[str, object], faults: tuple[Fault, ...]) -> None:
    other = dataclasses.replace(GOOD, **change)  # type: ignore[arg-type]
    told = consistency({"a": Seen(GOOD, True), "b": Seen(GOOD, True), "c": Seen(other, True)})
    assert told is not None
    assert told.faults == ({"c": faults} if faults else {})
    assert (distance(Seen(other, True), told.middle) > 1) == bool(faults)


def test_what_is_refused_or_unseen_falls_out_and_moves_no_median() -> None:
    far = dataclasses.replace(GOOD, eye_line=0.9)
    told = consistency({1: Seen(GOOD, True), 2: Seen(far, False), 3: Seen(far, False), 4: Seen(None, False)})
    assert told is not None
    assert (told.portraits, told.middle.eye_line, told.eye_line_spread) == (1, 0.45, 0.0)
    assert told.backdrop_delta_e is None
    assert told.faults == {
        2: (Fault.NOT_ACCEPTED, Fault.EYE_LINE),
        3: (Fault.NOT_ACCEPTED, Fault.EYE_LINE),
        4: (Fault.NOT_MEASURED,),
    }
    assert consistency({4: Seen(None, False)}) is None


def test_what_falls_out_is_told_with_how_far_and_its_limit() -> None:
    other = Seen(dataclasses.replace(GOOD, eye_line=0.47, light=0.32), False)
    told = consistency({"a": Seen(GOOD, True), "b": Seen(GOOD, True), "c": other})
    assert told is not None
    assert told.faults["c"] == (Fault.NOT_ACCEPTED, Fault.EYE_LINE, Fault.LIGHT)
    found = [(each.fault, round(each.apart, 4), each.allowed) for each in deviations(other, told.middle)]
    assert found == [(Fault.EYE_LINE, 0.02, 0.01), (Fault.LIGHT, 0.3, 0.15)]
    assert deviations(Seen(None, False), told.middle) == ()
