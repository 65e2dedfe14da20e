"""Defines packs as the SDK hands them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class PackStyle:
    """A style of a pack, and how many shots the pack has of it."""

    style: str
    shots: int


@dataclass(frozen=True)
class Pack:
    """Styles that are ordered together, built in or the tenant's own."""

    name: str
    display_name: str
    description: str
    styles: tuple[PackStyle, ...]
    total_shots: int
    version: int
    """Grows by one whenever a pack of the tenant's own changes; 1 where it is built in."""
    built_in: bool
    archived: bool
    create_time: datetime | None
    """When this version was made; None where it is built in."""
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    external_id: str = ""
