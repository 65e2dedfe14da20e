"""Looks whether a painted picture shows nudity, where the analyzer has a net for it."""

from __future__ import annotations

import numpy as np

from headshots.acceptance.verdict import Check
from headshots.faces.base import FaceAnalyzer, Pixels
from headshots.imaging.quality import QualityLimits

UNSAFE_IMAGES = ("refuse", "review", "ignore")
"""What an operator may want of a painted image that seems to show nudity: it is never delivered, it is not accepted and
its verdict tells why, or nobody looks."""
_LIMIT = QualityLimits().max_unsafe


def tells_unsafe(analyzer: FaceAnalyzer) -> bool:
    """Whether it has such a net: one that has none says so of every picture."""
    return analyzer.unsafe(np.zeros((16, 16, 3), np.uint8)) is not None


def check_safety(analyzer: FaceAnalyzer, picture_HWC: Pixels) -> Check:
    """UNSAFE does not pass from the limit for photos on. `analyzer`: one of which `tells_unsafe` is true."""
    unsafe = analyzer.unsafe(picture_HWC)
    assert unsafe is not None
    words = f"The picture shows nudity, the safety net says, by {unsafe:.0%}; less than {_LIMIT:.0%} is needed."
    return Check("UNSAFE", unsafe < _LIMIT, unsafe, _LIMIT, words)
