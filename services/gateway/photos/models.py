"""A stored photo as a frozen dataclass."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Photo:
    """A stored selfie; `sha256` and `size_bytes` are the upload's, the sides are those of the stored picture."""

    subject_id: str
    sha256: str
    size_bytes: int
    width_px: int
    height_px: int
    filename: str
    created_at: float
