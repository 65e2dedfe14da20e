"""The objects that all workers of a service share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Engine

from headshots.artifacts import ArtifactStore
from headshots.database import now_expression
from headshots.diffusion.foundations.foundation import Foundation
from services.trainer.metrics import Metrics
from services.trainer.queue.wakeup import Wakeup
from services.trainer.run.messages import Task
from services.trainer.settings import TrainerSettings
from services.trainer.workers.process import ChildProcess, TrainingProcess


@dataclass(frozen=True)
class WorkerContext:
    """The service's parts, as ``__main__`` puts them together."""

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
    # Wakes workers: a new job, a cancellation, the drain, the end of a training process.
    worker_wakeup: Wakeup
    # Wakes those who watch jobs: a row has changed.
    changes: Wakeup
    # Starts the process of a run.
    launch: Callable[[Task], Awaitable[ChildProcess]] = TrainingProcess.start

    @property
    def now(self) -> Any:
        """The database's clock, for updates."""
        return now_expression(self.engine.dialect.name)
