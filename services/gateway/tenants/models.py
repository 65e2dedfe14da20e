"""Defines a tenant as a frozen dataclass."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tenant:
    """A customer."""

    id: str
    display_name: str
    created_at: float
    """Seconds since the epoch."""
    consent_required: bool
    """Whether its subjects have to consent before they are trained and painted."""
    retention_seconds: int
    """How long its subjects are kept after their last delivery."""
