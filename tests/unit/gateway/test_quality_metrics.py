"""Verdicts are counted under one reason each, and labels stay few."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from headshots.acceptance.checks import at_least, unmeasured
from headshots.acceptance.gate import not_measured
from headshots.acceptance.profiles import PROFILE_WORTHY
from headshots.acceptance.verdict import Check, Verdict
from services.gateway.quality_metrics import QualityMetrics, reason_of

PASSED = at_least("NOT_ALIKE", 1.0, 0.5, "")
UNMEASURED = unmeasured("EYES_CLOSED", "")
BLURRY, CUT_OFF = (at_least(reason, 0.0, 0.5, "") for reason in ("BLURRY", "FACE_CUT_OFF"))


@pytest.mark.parametrize(
    ("checks", "reason"),
    [
        ([PASSED], "ACCEPTED"),
        ([PASSED, UNMEASURED], "NOT_MEASURED"),
        ([UNMEASURED, BLURRY, CUT_OFF], "BLURRY"),
        ([CUT_OFF, PASSED, BLURRY], "FACE_CUT_OFF"),
    ],
)
def test_the_reason_is_the_first_check_that_was_measured_and_refuses(checks: list[Check], reason: str) -> None:
    assert reason_of(Verdict.of("strict", 1, "analyzer", checks)) == reason


def test_where_nothing_was_measured_no_likeness_is_counted() -> None:
    registry = CollectorRegistry()
    QualityMetrics(registry).judged("d" * 64, not_measured(PROFILE_WORTHY, "", "no analyzer"), None, settled=True)
    labels = {"foundation": "d" * 12, "profile": "profile-worthy"}
    counted = {"reason": "NOT_MEASURED", "settled": "true"}
    assert registry.get_sample_value("headshots_gateway_image_verdicts_total", {**labels, **counted}) == 1
    assert not registry.get_sample_value("headshots_gateway_image_likeness_count", labels)


def test_series_are_there_before_the_first_image() -> None:
    registry = CollectorRegistry()
    QualityMetrics(registry).expects("d" * 64, "a-tenants-own")
    labels = {"foundation": "d" * 12, "profile": "own"}
    for reason in ("ACCEPTED", "NOT_MEASURED"):
        for settled in ("true", "false"):
            counted = {**labels, "reason": reason, "settled": settled}
            assert registry.get_sample_value("headshots_gateway_image_verdicts_total", counted) == 0
    assert registry.get_sample_value("headshots_gateway_image_likeness_count", labels) == 0
