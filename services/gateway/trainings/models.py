"""A training as a frozen dataclass. Times are seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass

from services.gateway.peers.models import TrainingJob, TrainingRequest


@dataclass(frozen=True)
class Training:
    """One run that makes an adapter."""

    id: str
    subject_id: str
    request: TrainingRequest
    job: TrainingJob
    created_at: float
    ended_at: float | None = None
    note: str = ""
    revision: int = 0
    sent: bool = False
    submitted: bool = False
    cancel_requested: bool = False
