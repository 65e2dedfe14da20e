"""Tells how a foundation frames its portraits, from its card alone. Imports no torch."""

from __future__ import annotations

from pathlib import Path

from foundry.portraits import DEFAULT_FRAMING, FRAMINGS
from headshots.diffusion.foundations.foundation import Foundation

# What `headshots.yaml` says of a foundation that learned a framing: the median of 100 drawn studio portraits (0.79 by
# one look of the bundled analyzer, 0.78 by many). The default framing is near that of selfies, which are taken whole.
HEAD_HEIGHTS: dict[str, float | None] = {DEFAULT_FRAMING: None, "close": 0.78}
EYE_LINES: dict[str, float | None] = {DEFAULT_FRAMING: None, "close": 0.39}
"""Of the eyes in the same portraits, from the upper edge: frames of looks follow both."""
assert HEAD_HEIGHTS.keys() == EYE_LINES.keys() == FRAMINGS.keys()


def framing_of(foundation: Foundation) -> str:
    """The name in `foundry.portraits.FRAMINGS` of how a foundation's portraits are framed.

    Raises:
        ValueError: its card has a `head_height` that no framing of the drawn world has.
    """
    for name, height in HEAD_HEIGHTS.items():
        if height == foundation.head_height:
            return name
    known = ", ".join(f"{height} ({name})" for name, height in HEAD_HEIGHTS.items() if height is not None)
    raise ValueError(
        f"{foundation.path / 'headshots.yaml'}: the drawn world has no framing with head_height "
        f"{foundation.head_height}; write {known} or leave it out ({DEFAULT_FRAMING})"
    )


def framing_at(path: Path) -> str:
    """The same of the foundation in a folder."""
    return framing_of(Foundation.read(path))
