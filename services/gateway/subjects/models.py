"""Defines a subject as a frozen dataclass."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from services.gateway.api.labels import Labelling
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
class SubjectChange:
    """What a caller changes; None stays as it is."""

    display_name: str | None = None
    labels: dict[str, str] | None = None
    """In place of all labels."""
    external_id: str | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """Values of the row that change."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value is not None}
