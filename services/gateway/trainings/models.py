"""Defines a training as a frozen dataclass. Times are seconds since the epoch."""

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
    status_message: str = ""
    """One sentence on what holds it up; empty where nothing does."""
    revision: int = 0
    """The number of its newest event."""
    sent: bool = False
    """Whether the job was ever sent to a trainer."""
    submitted: bool = False
    """Whether a trainer has confirmed the job."""
    cancel_requested: bool = False
