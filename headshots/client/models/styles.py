"""Defines styles as the SDK hands them out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """A versioned prompt recipe."""

    name: str
    display_name: str
    description: str
    version: int
    outfit: str
    backdrop: str
    lighting: str
    framing: str
