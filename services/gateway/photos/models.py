"""Defines a stored photo as a frozen dataclass."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.gateway.api.labels import Labelling


@dataclass(frozen=True)
class Photo:
    """A stored photo: `sha256` and `size_bytes` are of the uploaded file, width and height of the stored picture."""

    subject_id: str
    sha256: str
    size_bytes: int
    width_px: int
    height_px: int
    filename: str
    created_at: float
    """Seconds since the epoch."""
    labelling: Labelling = field(default_factory=Labelling)
    expires_at: float | None = None
    """From when on no call uses it; None: it is kept as long as its subject, or until a delivery."""
