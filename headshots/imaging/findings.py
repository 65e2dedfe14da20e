"""Defines what inspections find wrong with photos."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; fields as in the contract's PhotoFinding."""

    reason: str
    message: str
    measured: float | None = None
    limit: float | None = None
    duplicate_of: int | None = None
    cause: str = ""
