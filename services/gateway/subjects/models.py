"""Defines a subject as a frozen dataclass."""

from __future__ import annotations

from dataclasses import dataclass

from services.gateway.peers.models import Adapter


@dataclass(frozen=True)
class Subject:
    """A person; `adapter` is that of the newest successful training."""

    id: str
    display_name: str
    class_noun: str
    created_at: float
    """Seconds since the epoch."""
    photo_count: int
    adapter: Adapter | None
