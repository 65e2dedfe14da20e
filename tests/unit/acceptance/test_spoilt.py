"""Portraits of a drawn person in built-in styles are accepted; spoilt ones are refused by the check that is meant."""

from __future__ import annotations

import pytest

from benchmarks.acceptance.spoiling import SPOILT
from headshots.acceptance import Acceptance, Gate
from headshots.faces import FaceAnalyzer, Pixels


def test_true_portraits_are_accepted(gate: Gate, portraits: list[Pixels]) -> None:
    for portrait in portraits:
        verdict = gate.judge(portrait).verdict
        assert verdict.acceptance is Acceptance.ACCEPTED, [check for check in verdict.checks if not check.passed]


# Grey skin is no further from the photos than neon light makes it: the calibration has how often it is seen.
@pytest.mark.parametrize("how", sorted(SPOILT.keys() - {"grey skin"}))
def test_a_spoilt_portrait_is_refused_by_its_check(
    gate: Gate, analyzer: FaceAnalyzer, portraits: list[Pixels], how: str
) -> None:
    spoil, reason = SPOILT[how]
    for portrait in portraits:
        verdict = gate.judge(spoil(portrait, analyzer.faces(portrait)[0])).verdict
        assert verdict.acceptance is Acceptance.REFUSED
        assert reason in [check.reason for check in verdict.checks if not check.passed]
