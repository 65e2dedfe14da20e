"""The benchmark of promises measures what it says, at a small scale."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.promises import expired, files, sweeping, watermarks
from benchmarks.promises.damages import DAMAGES
from benchmarks.promises.report import TARGETS, Order, Scale
from benchmarks.report import Measured

SMALL = Scale(images=1, unmarked=3, flips=9, repeats=1, erasures=4, expired=1, subjects=1_200, due=2, sweeps=1)


@pytest.mark.parametrize(
    "part",
    [expired.run, sweeping.run, files.run_time, files.run_flips, watermarks.run, watermarks.run_unmarked],
    ids=lambda part: f"{part.__module__}.{part.__name__}",
)
def test_a_part_measures_its_figures(part: object, tmp_path: Path) -> None:
    assert callable(part)
    measured = part(Order(SMALL, 0, None, tmp_path))
    assert isinstance(measured, Measured)
    assert set(measured.figures) <= set(TARGETS)
    found = measured.details.get("found_at_512", {})
    assert set(found) in (set(), set(DAMAGES))
    for key in ("c2pa_one_byte_flips_detected", "watermark_found"):
        assert measured.figures.get(key, 1.0) == 1.0
    assert measured.figures.get("watermark_false_positive", 0) == 0
    assert measured.figures.get("expired_subjects_usable", 0) == 0
