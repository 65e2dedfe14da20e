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
    photos_expire_at: float | None = None
    """From when on no call uses the photos that it had at a delivery; None: as long as itself."""


@dataclass(frozen=True)
class OwnTerms:
    """How long a subject is kept, in seconds after each delivery, whatever its tenant says."""

    seconds: int = 0
    """An hour to 400 days; 0: as long as its tenant says."""
    photo_seconds: int | None = None
    """Its photos, 0 to 400 days; None: as its tenant says."""


NO_TERMS = OwnTerms()
"""As its tenant says."""
