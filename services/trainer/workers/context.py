"""What all workers of a service share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Engine

from headshots.artifacts import ArtifactStore
from headshots.database import now_expression
from headshots.diffusion.foundations.foundation import Foundation
from services.trainer.metrics import Metrics
from services.trainer.queue.wakeup import Bell
from services.trainer.run.messages import Task
from services.trainer.settings import TrainerSettings
from services.trainer.workers.process import Child, ChildProcess


@dataclass(frozen=True)
class Workplace:
    """The service's parts, as ``__main__`` put them together."""

    engine: Engine
    store: ArtifactStore
    foundation: Foundation
    foundation_digest: str
    # See services.trainer.run.foundation_stamp.
    foundation_stamp: str
    # cpu or cuda.
    device: str
    settings: TrainerSettings
    metrics: Metrics
    # Rings for workers: a new job, a cancellation, the drain, a child's end.
    calls: Bell
    # Rings for those who watch: a row has changed.
    changes: Bell
    # Starts the process of a run.
    launch: Callable[[Task], Awaitable[ChildProcess]] = Child.start

    @property
    def now(self) -> Any:
        """The database's clock, for updates."""
        return now_expression(self.engine.dialect.name)
