"""Eyes count as hidden where neither shows: half a face in shadow, or hair over one eye, hides nobody."""

from __future__ import annotations

import numpy as np
import pytest

from headshots.faces.base import Face
from headshots.imaging.facing import eye_brightness, find_hidden
from headshots.imaging.quality import QualityLimits

LANDMARKS = np.array([(70, 80), (130, 80), (100, 110), (75, 140), (125, 140)], np.float32)
FACE = Face((50, 40, 150, 170), LANDMARKS, np.ones(1, np.float32), 1.0)


def luma(*, left: float, right: float) -> np.ndarray:
    """A face of 150 with other brightness around its eyes."""
    found = np.full((200, 200), 150, np.float32)
    found[60:100, 50:90], found[60:100, 110:150] = left, right
    return found


@pytest.mark.parametrize(
    ("left", "right", "reasons"), [(140, 140, []), (20, 140, []), (140, 20, []), (20, 20, ["EYES_HIDDEN"])]
)
def test_the_brighter_eye_counts(left: float, right: float, reasons: list[str]) -> None:
    brightness = eye_brightness(luma(left=left, right=right), FACE)
    assert brightness == pytest.approx(max(left, right) / 150, abs=0.01)
    assert [finding.reason for finding in find_hidden(1.0, brightness, QualityLimits())] == reasons
