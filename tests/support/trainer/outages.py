"""Makes a trainer's database fail, or stops its clock."""

from __future__ import annotations

import threading
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Engine

from headshots.database import read
from headshots.schema import training_jobs
from tests.support.clocks import SqliteClock
from tests.support.trainer.world import Trainer


class Outage:
    """While it lasts, the database refuses all connections except the test's own."""

    def __init__(self, engine: Engine) -> None:
        self.lasts = False
        self.refused = 0
        event.listen(engine, "begin", self._begin, insert=True)

    def _begin(self, _connection: Any) -> None:
        if self.lasts and threading.current_thread() is not threading.main_thread():
            self.refused += 1
            raise sa.exc.OperationalError("BEGIN", {}, Exception("connection refused"))


def column(trainer: Trainer, name: str, job_id: str = "j") -> Any:
    """One value of the job's row, read in the test's own thread."""
    with read(trainer.database) as connection:
        return connection.execute(sa.select(training_jobs.c[name]).where(training_jobs.c.id == job_id)).scalar()


def with_clock(trainer: Trainer) -> SqliteClock:
    """Give the trainer's database a clock that stands still until it is set."""
    trainer.database.dispose()
    return SqliteClock(trainer.database)
