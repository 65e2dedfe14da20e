"""Knows which folder of built-in styles fits a foundation. Imports nothing that a plain installation lacks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def fitting_styles(vocabulary: Sequence[str]) -> Path:
    """The folder of this checkout with styles that fit a foundation of that vocabulary.

    One with a closed vocabulary, as the bundled one, gets styles in words that it was taught; one whose vocabulary is
    open (empty) gets whole prompts for photographs.
    """
    styles = Path(__file__).resolve().parents[2] / "styles"
    return styles if vocabulary else styles / "photographic"
