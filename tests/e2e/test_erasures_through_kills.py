"""Short form of what `make bench-promises` does to erasures: one of each way, each with a kill in the middle."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.promises import erasures
from benchmarks.promises.report import QUICK, Order

pytestmark = pytest.mark.slow


def test_nobody_is_left_in_any_file(tmp_path: Path) -> None:
    measured = erasures.run(Order(QUICK, 0, None, tmp_path))
    assert measured.figures == {"erasure_residue_bytes": 0, "erasures_interrupted_and_completed": QUICK.erasures}
    for each in measured.details["erasures"]["each"]:
        assert each["found_before"] > 10_000
        assert set(each["files"]) >= {"photos", "adapters", "images"}
