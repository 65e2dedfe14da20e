"""Defines what pools tell callers."""

from __future__ import annotations

from dataclasses import dataclass

from headshots.schema import MAIN_POOL
from services.gateway.peers.models import GeneratorDescription


@dataclass(frozen=True)
class Served:
    """A foundation that a pool runs."""

    description: GeneratorDescription
    is_default: bool
    """Whether trainings that name none take it."""
    ready: int
    """Generators that take requests for it now; 0: work waits until one does."""


@dataclass(frozen=True)
class TrainingPlace:
    """Whose trainers do a training."""

    pool: str = MAIN_POOL
    described: GeneratorDescription | None = None
    """What generators of the pool run; None where none has told yet."""

    @property
    def foundation_digest(self) -> str:
        """Of the foundation; empty where it is not known yet."""
        return self.described.foundation_digest if self.described is not None else ""


ANY_PLACE = TrainingPlace()
"""Of an installation with one pool, whose generators are not asked."""
