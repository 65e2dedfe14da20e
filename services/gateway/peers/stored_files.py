"""Defines what trainers tell of the files that they wrote beside an adapter."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StoredFile:
    """Fields as in the contract's StoredFile."""

    key: str
    sha256: str
    size_bytes: int
