"""Defines what a remix may change, and which words of a style say it."""

from __future__ import annotations

from enum import StrEnum

_LIGHT_REPAINT = 0.6


class Change(StrEnum):
    """What a remix changes; the rest of the image stays."""

    BACKDROP = "backdrop"
    OUTFIT = "outfit"
    LIGHT = "light"

    @property
    def field(self) -> str:
        """Which of a style's fields says it."""
        return "lighting" if self is Change.LIGHT else self.value

    @property
    def repaint(self) -> float:
        """Which share of the denoising steps is painted over the image by default."""
        return _LIGHT_REPAINT if self is Change.LIGHT else 1.0

    @property
    def is_masked(self) -> bool:
        """Whether a part of the image keeps its pixels. Light falls on everything."""
        return self is not Change.LIGHT
