"""A subject as a frozen dataclass."""

from __future__ import annotations

from dataclasses import dataclass

from services.gateway.peers.models import Adapter


@dataclass(frozen=True)
class Subject:
    """A person."""

    id: str
    display_name: str
    class_noun: str
    created_at: float
    photo_count: int
    adapter: Adapter | None
