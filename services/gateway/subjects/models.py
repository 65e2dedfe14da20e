"""Defines a subject as a frozen dataclass."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.gateway.api.labels import Labelling, LabellingChange
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
    labelling: Labelling = field(default_factory=Labelling)


@dataclass(frozen=True)
class SubjectChange(LabellingChange):
    """What a caller changes; None stays as it is."""

    display_name: str | None = None
