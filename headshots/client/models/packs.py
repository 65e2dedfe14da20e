"""Defines packs as the SDK hands them out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PackStyle:
    """A style of a pack, and how many shots the pack has of it."""

    style: str
    shots: int


@dataclass(frozen=True)
class Pack:
    """Styles that are ordered together."""

    name: str
    display_name: str
    description: str
    styles: tuple[PackStyle, ...]
    total_shots: int
