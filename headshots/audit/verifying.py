"""Verifies chains: finds events that were changed, removed, put elsewhere or added. Blocking SQL.

Whoever can write to the database can also make a whole chain anew. What shows that is a head that was noted elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.audit.chain import FIRST, Link
from headshots.database import read
from headshots.schema import audit_chains, audit_events

_ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class Head:
    """An event of a chain by its number and digest, as the newest one is noted elsewhere."""

    number: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.number}:{self.sha256}"


@dataclass(frozen=True)
class ChainReport:
    """What a chain is found to be."""

    tenant_id: str
    events: int
    """Those that are kept and linked."""
    checkpoint: Head
    """What the oldest of them follows: the newest that has left at the end of its term."""
    head: Head
    """The newest that is linked."""
    waiting: int
    """Events that are recorded and not linked yet; the next second does."""
    faults: tuple[str, ...]
    """What is wrong with it, a sentence each; empty where it is whole."""


def chained_tenants(engine: Engine) -> list[str]:
    """Ids of tenants that have a chain or an event, in their order."""
    with read(engine) as connection:
        found = sa.union(sa.select(audit_chains.c.tenant_id), sa.select(audit_events.c.tenant_id))
        return sorted(connection.execute(found).scalars())


def verify_chain(engine: Engine, tenant_id: str, noted: Sequence[Head] = ()) -> ChainReport:
    """Reads the whole chain of a tenant, as it is at one moment, and compares it with heads that were noted before."""
    with read(engine) as connection:
        if connection.dialect.name == "postgresql":
            # Or events that are linked meanwhile would seem to be missing from one of the two tables.
            connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        chain = connection.execute(sa.select(audit_chains).where(audit_chains.c.tenant_id == tenant_id)).first()
        mine = audit_events.c.tenant_id == tenant_id
        unlinked = sa.select(sa.func.count()).where(mine, audit_events.c.number.is_(None))
        checkpoint, head = Head(0, FIRST), Head(0, FIRST)
        if chain is not None:
            checkpoint = Head(chain.checkpoint_number, chain.checkpoint_sha256)
            head = Head(chain.head_number, chain.head_sha256)
        reading = _Reading(checkpoint, {each.number: each.sha256 for each in noted})
        faults = [*reading.faults_of(_linked(connection, tenant_id)), *reading.faults_at_end(head)]
        waiting = int(connection.execute(unlinked).scalar_one())
    return ChainReport(tenant_id, reading.events, checkpoint, head, waiting, tuple(faults))


def _linked(connection: Connection, tenant_id: str) -> Iterator[Row[Any]]:
    mine = sa.and_(audit_events.c.tenant_id == tenant_id, audit_events.c.number.is_not(None))
    query = sa.select(audit_events).where(mine).order_by(audit_events.c.number)
    yield from connection.execute(query.execution_options(yield_per=_ROWS_AT_ONCE))


class _Reading:
    """A chain as it is read from its oldest event on."""

    def __init__(self, checkpoint: Head, noted: dict[int, str]) -> None:
        self.events = 0
        self._last = checkpoint
        self._left = checkpoint.number
        self._noted = noted

    def faults_of(self, rows: Iterator[Row[Any]]) -> Iterator[str]:
        """What is wrong between the events, which come by number."""
        yield from self._differs_from_noted()
        for row in rows:
            self.events += 1
            yield from self._faults_of(row)
            self._last = Head(row.number, row.sha256)
            yield from self._differs_from_noted()

    def faults_at_end(self, head: Head) -> Iterator[str]:
        """What is wrong after the last event; `head` is what the chain says of it."""
        if self._last != head:
            yield f"the chain ends with event {self._last.number}, and not as noted with event {head.number}"
        for number in sorted(self._noted):
            if number > self._last.number:
                yield f"event {number}, which was noted as its head, is missing"
            elif number < self._left:
                yield f"event {number}, which was noted, has left at the end of its term; note a newer head"

    def _faults_of(self, row: Row[Any]) -> Iterator[str]:
        wanted = self._last.number + 1
        if row.number <= self._left:
            yield f"event {row.number} is there although all up to {self._left} have left"
        elif row.number > wanted:
            last = row.number - 1
            yield f"event {wanted} is missing" if last == wanted else f"events {wanted} to {last} are missing"
        # What follows a missing event cannot be told to be right; what follows that one can.
        elif Link.of_row(row, row.number).sha256(self._last.sha256) != row.sha256:
            yield f"event {row.number} was changed or put there, or event {self._last.number} before it was"

    def _differs_from_noted(self) -> Iterator[str]:
        noted = self._noted.get(self._last.number)
        if noted is not None and noted != self._last.sha256:
            yield f"event {self._last.number} is not the one that was noted"
