"""Defines how long a subject is kept as frozen dataclasses. Times are seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Hold:
    """Why a subject's time is suspended."""

    reason: str
    held_at: float


@dataclass(frozen=True)
class Retention:
    """How long a subject is kept."""

    expires_at: float
    """From when on nothing can be done with it and it is erased; suspended while it is held."""
    hold: Hold | None
