"""Portraits of a drawn person in built-in styles are accepted; spoilt ones are refused by the check that is meant."""

from __future__ import annotations

import pytest

from benchmarks.acceptance.people import Person, selfies, true_portrait
from benchmarks.acceptance.spoiling import SPOILT
from headshots.acceptance import STRICT, Acceptance, Gate, measure_reference
from headshots.faces import FaceAnalyzer, Pixels
from headshots.styles.library import StyleLibrary
from tests.support.paths import ROOT


def test_true_portraits_are_accepted(gate: Gate, portraits: list[Pixels]) -> None:
    for portrait in portraits:
        verdict = gate.judge(portrait).verdict
        assert verdict.acceptance is Acceptance.ACCEPTED, [check for check in verdict.checks if not check.passed]


def test_neon_light_is_no_fault_of_the_skin(analyzer: FaceAnalyzer) -> None:
    style = StyleLibrary.load(ROOT / "styles").get("city-leather-jacket")
    for number in range(1_001, 1_007):
        reference = measure_reference(analyzer, selfies(Person(number)))
        assert reference is not None
        verdict = Gate(analyzer, reference, STRICT).judge(true_portrait(Person(number), style, 0, 128)).verdict
        assert "COLOUR_UNNATURAL" not in [check.reason for check in verdict.checks if not check.passed]


# Who is pale in the photos cannot lose much colour: the calibration has how often grey skin is seen.
@pytest.mark.parametrize("how", sorted(SPOILT.keys() - {"grey skin"}))
def test_a_spoilt_portrait_is_refused_by_its_check(
    gate: Gate, analyzer: FaceAnalyzer, portraits: list[Pixels], how: str
) -> None:
    spoil, reason = SPOILT[how]
    for portrait in portraits:
        verdict = gate.judge(spoil(portrait, analyzer.faces(portrait)[0])).verdict
        assert verdict.acceptance is Acceptance.REFUSED
        assert reason in [check.reason for check in verdict.checks if not check.passed]
