"""Defines a consent as a frozen dataclass."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Purpose(Enum):
    """What a person agrees to; the value stands in messages."""

    TRAINING = "training"
    PAINTING = "painting"


@dataclass(frozen=True)
class Consent:
    """What a person agreed to. Times are seconds since the epoch."""

    text: str
    """The statement itself; empty where it is kept elsewhere."""
    uri: str
    """Where it is kept; empty where the text is here."""
    sha256: str
    """Of the text's UTF-8 bytes, in hex. Empty only in what a caller gives with a text."""
    version: str
    purposes: frozenset[Purpose]
    given_at: float | None
    """When the person agreed; None only in what a caller gives: now."""
    reference: str
    """The caller's own note of how it was given."""
    expires_at: float | None
    """From when on it holds no longer; None: until it is withdrawn."""
    recorded_at: float | None = None
    """When it was written down; None before."""
