"""Counts the work that generators and trainers have, by the gateway's own rows: it knows of it where neither runs."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots.database import read
from headshots.schema import MAIN_POOL, PENDING, RUNNING, galleries, shots, trainings

_WORK = (PENDING, RUNNING)


class Kind(enum.Enum):
    """What the replicas of a queue are."""

    GENERATORS = "generators"
    TRAINERS = "trainers"


@dataclass(frozen=True)
class Queue:
    """Work of one pool's generators or trainers."""

    kind: Kind
    pool: str

    @property
    def name(self) -> str:
        """As a trigger names it: `generators` of the first pool, `generators-v2` of the pool v2."""
        return self.kind.value if self.pool == MAIN_POOL else f"{self.kind.value}-{self.pool}"


class KnownPool(Protocol):
    """See `peers.pools.Pool`."""

    @property
    def name(self) -> str:
        """Of the pool."""

    @property
    def digest(self) -> str:
        """Of its foundation; empty where it never told."""

    @property
    def ready(self) -> int:
        """Its generators that take requests."""


def queues_of(pools: Sequence[KnownPool]) -> dict[str, Queue]:
    """All queues by name."""
    found = [Queue(kind, pool.name) for pool in pools for kind in Kind]
    return {queue.name: queue for queue in found}


def count_work(engine: Engine, queue: Queue, pools: Sequence[KnownPool]) -> int:
    """Rows of a queue that wait or run.

    A shot is work of the first of `pools` that runs its adapter's foundation. Where none is known to, it is work of
    every pool that does not answer: one at zero may run another foundation than it told last, as only a replica tells.

    Raises:
        UnavailableError: DATABASE_UNAVAILABLE.
    """
    if queue.kind is Kind.TRAINERS:
        where = sa.and_(trainings.c.state.in_(_WORK), _is_trained_by(queue.pool, pools))
        query = sa.select(sa.func.count()).select_from(trainings).where(where)
    else:
        of_gallery = shots.join(galleries, galleries.c.id == shots.c.gallery_id)
        where = sa.and_(shots.c.state.in_(_WORK), _is_for(queue.pool, pools))
        query = sa.select(sa.func.count()).select_from(of_gallery).where(where)
    with read(engine) as connection:
        return int(connection.execute(query).scalar_one())


def _is_trained_by(name: str, pools: Sequence[KnownPool]) -> sa.ColumnElement[bool]:
    """Whether a training is for this pool's trainers: by its pool's name, or by its foundation where none has that."""
    (own,) = (pool for pool in pools if pool.name == name)
    by_name = trainings.c.pool == name
    if not own.digest:
        return by_name
    renamed = trainings.c.pool.not_in([pool.name for pool in pools])
    return sa.or_(by_name, sa.and_(renamed, trainings.c.foundation_digest == own.digest))


def _is_for(name: str, pools: Sequence[KnownPool]) -> sa.ColumnElement[bool]:
    """Whether a shot of a gallery is work of this pool's generators."""
    owners: dict[str, KnownPool] = {}
    for pool in pools:
        owners.setdefault(pool.digest, pool)
    owners.pop("", None)
    (own,) = (pool for pool in pools if pool.name == name)
    digest = galleries.c.foundation_digest
    is_own = digest == own.digest if owners.get(own.digest) is own else sa.false()
    return is_own if own.ready else sa.or_(is_own, digest.not_in(list(owners)))
