"""Defines what a running training does and how far that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TrainingProgress:
    """What a running training does; fields as in the contract's TrainingProgress."""

    phase: str
    """The contract's name of it, without TRAINING_PHASE_."""
    done: int
    total: int
    eta_seconds: float | None
    """None: not measured yet."""

    @classmethod
    def from_json(cls, document: Mapping[str, Any] | None) -> TrainingProgress | None:
        """From a JSON column; None stays None."""
        return None if document is None else cls(**document)
