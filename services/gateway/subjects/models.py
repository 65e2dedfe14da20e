"""Defines a subject as a frozen dataclass."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.gateway.api.labels import Labelling, LabellingChange
from services.gateway.consents.models import Consent
from services.gateway.peers.models import Adapter
from services.gateway.retention.models import Retention


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
    retention: Retention
    labelling: Labelling = field(default_factory=Labelling)
    consent: Consent | None = None
    """What the person agreed to, which may have expired."""
    erasure_commitment: str = ""
    """What the receipt of its erasure will call it; empty: it is older than commitments."""


@dataclass(frozen=True)
class Deletion:
    """What a call has erased."""

    erasure_id: str
    deleted_objects: int


@dataclass(frozen=True)
class Withdrawal:
    """What became of a subject whose consent was taken back."""

    erased: bool
    """Whether it is gone already; else its jobs are being stopped first."""
    deleted_objects: int
    erasure_id: str


@dataclass(frozen=True)
class SubjectChange(LabellingChange):
    """What a caller changes; None stays as it is."""

    display_name: str | None = None
