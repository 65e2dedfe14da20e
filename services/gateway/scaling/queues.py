"""Counts the work that generators and trainers have, by the gateway's own rows: it knows of it where neither runs."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots.database import read
from headshots.schema import PENDING, RUNNING, shots, trainings

POOLS: Mapping[str, sa.Table] = {"generators": shots, "trainers": trainings}
"""What the replicas of each pool work on, one row at a time."""


def count_work(engine: Engine, pool: str) -> int:
    """Rows of a pool that wait or run.

    Raises:
        UnavailableError: DATABASE_UNAVAILABLE.
    """
    table = POOLS[pool]
    with read(engine) as connection:
        query = sa.select(sa.func.count()).select_from(table).where(table.c.state.in_((PENDING, RUNNING)))
        return int(connection.execute(query).scalar_one())
