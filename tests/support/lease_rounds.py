"""The lease protocol as a state machine: workers that freeze, die and wake while the database's clock jumps about.

Every rule goes through the real :mod:`headshots.leases`. A worker that is frozen is one whose lease no rule touches
for a while; it wakes when a rule uses it again, however many others have had the row meanwhile. Beside the database
stands a model that knows who may write; an answer that it did not expect, or a row that is not as the model has it, is
a failure.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, precondition, rule
from sqlalchemy.engine import Connection, Engine

from headshots import leases
from headshots.database import read, write
from headshots.leases import Lease, LeaseLostError
from headshots.schema import PENDING, RUNNING, SUCCEEDED, training_jobs
from tests.support.clocks import BEGINNING, DatabaseClock

WORKERS = st.sampled_from(["ada", "bob", "cyd"])
# Half seconds against whole ones on the clock: no lease ever expires at this very moment.
TTLS = st.sampled_from([10.5, 30.5])
MOST_ROWS = 4


@dataclass
class Row:
    """What the row has to look like, and who may write to it."""

    state: str = PENDING
    attempt: int = 0
    holder: Lease | None = None
    expires_at: float | None = None
    step: int = 0
    # Of every write that was taken, whose it was.
    writes: list[Lease] = field(default_factory=list)

    def is_claimable(self, now: float) -> bool:
        return self.state == PENDING or (self.expires_at is not None and self.expires_at < now)

    def give_up(self, state: str) -> None:
        self.state, self.holder, self.expires_at = state, None, None


class LeaseRounds(RuleBasedStateMachine):
    """Subclassed by each database with an ``engine`` and its ``clock``; a run of it is one round."""

    engine: Engine
    clock: DatabaseClock
    held = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGINNING
        self.clock.set(self.now)
        self.rows: dict[str, Row] = {}
        # Of the row with a transaction open on it, which nobody else can write to meanwhile.
        self.locked: str | None = None
        with write(self.engine) as connection:
            connection.execute(sa.delete(training_jobs))
        self.queue()

    @precondition(lambda self: len(self.rows) < MOST_ROWS)
    @rule()
    def queue(self) -> None:
        job_id = f"job-{len(self.rows)}"
        self.rows[job_id] = Row()
        with write(self.engine) as connection:
            connection.execute(sa.insert(training_jobs).values(id=job_id, tenant="t", request={}, created_at=0.0))

    @rule(seconds=st.integers(-60, 60))
    def clock_jumps(self, seconds: int) -> None:
        self.now += seconds
        self.clock.set(self.now)

    @rule(target=held, owner=WORKERS, ttl=TTLS)
    def claim(self, owner: str, ttl: float) -> Any:
        free = [id for id, row in self.rows.items() if row.is_claimable(self.now) and id != self.locked]
        lease = leases.claim(self.engine, training_jobs, owner=owner, ttl_seconds=ttl)
        assert (lease.id if lease else None) == (free[0] if free else None)
        if lease is None:
            return multiple()
        row = self.rows[lease.id]
        assert lease == Lease(lease.id, row.attempt + 1, owner)
        row.state, row.attempt, row.holder, row.expires_at = RUNNING, lease.attempt, lease, self.now + ttl
        return lease

    @rule(lease=held, ttl=TTLS)
    def renew(self, lease: Lease, ttl: float) -> None:
        def then(row: Row) -> None:
            row.expires_at = self.now + ttl

        self._write(lease, then, lambda: leases.renew(self.engine, training_jobs, lease, ttl_seconds=ttl))

    @rule(lease=held, step=st.integers(1, 1000))
    def progress(self, lease: Lease, step: int) -> None:
        def then(row: Row) -> None:
            row.step = step

        self._write(lease, then, lambda: leases.update(self.engine, training_jobs, lease, step=step))

    @rule(lease=held)
    def finish(self, lease: Lease) -> None:
        def then(row: Row) -> None:
            row.give_up(SUCCEEDED)

        self._write(lease, then, lambda: leases.update(self.engine, training_jobs, lease, state=SUCCEEDED))

    @rule(lease=held)
    def give_back(self, lease: Lease) -> None:
        def then(row: Row) -> None:
            row.give_up(PENDING)

        self._write(lease, then, lambda: leases.release(self.engine, training_jobs, lease))

    @rule(lease=consumes(held))
    def worker_dies(self, lease: Lease) -> None:
        """Its lease is never used again."""

    def _write(self, lease: Lease, then: Callable[[Row], None], write_it: Callable[[], object]) -> None:
        """Write under ``lease``, to the row and ``then`` to the model; it has to be refused to all but the holder."""
        row = self.rows[lease.id]
        if lease.id == self.locked:
            # It would wait for the other's commit.
            return
        if row.holder != lease:
            with pytest.raises(LeaseLostError):
                write_it()
            return
        write_it()
        then(row)
        row.writes.append(lease)

    @invariant()
    def the_rows_are_as_the_holders_left_them(self) -> None:
        with read(self.engine) as connection:
            found = {row.id: row for row in connection.execute(sa.select(training_jobs))}
        assert set(found) == set(self.rows)
        for id, row in self.rows.items():
            now = found[id]
            owner = row.holder.owner if row.holder else None
            assert (now.state, now.attempt, now.lease_owner, now.step) == (row.state, row.attempt, owner, row.step), id
            assert now.lease_expires_at == pytest.approx(row.expires_at, abs=0.01)

    @invariant()
    def no_row_has_writes_of_two_owners_at_a_time(self) -> None:
        for row in self.rows.values():
            attempts = [lease.attempt for lease in row.writes]
            assert attempts == sorted(attempts)
            owners: defaultdict[int, set[str]] = defaultdict(set)
            for lease in row.writes:
                owners[lease.attempt].add(lease.owner)
            assert all(len(names) == 1 for names in owners.values())


class TransactionRounds(LeaseRounds):
    """And workers that freeze in the middle of a transaction, where the database lets others work on meanwhile."""

    held = LeaseRounds.held

    def __init__(self) -> None:
        super().__init__()
        self._open = contextlib.ExitStack()
        self._then: Callable[[], None] = lambda: None

    @precondition(lambda self: self.locked is None)
    @rule(lease=held, step=st.integers(1, 1000))
    def freezes_before_its_commit(self, lease: Lease, step: int) -> None:
        row = self.rows[lease.id]
        connection: Connection = self._open.enter_context(write(self.engine))
        try:
            leases.update_in(connection, training_jobs, lease, step=step)
        except LeaseLostError:
            assert row.holder != lease
            self._open.close()
            return
        assert row.holder == lease
        self.locked = lease.id

        def take_in() -> None:
            row.step = step
            row.writes.append(lease)

        self._then = take_in

    @precondition(lambda self: self.locked is not None)
    @rule()
    def wakes_and_commits(self) -> None:
        self._open.close()
        self.locked = None
        self._then()

    @precondition(lambda self: self.locked is not None)
    @rule()
    def dies_before_its_commit(self) -> None:
        with contextlib.suppress(_Killed), self._open:
            raise _Killed
        self.locked = None

    def teardown(self) -> None:
        with contextlib.suppress(_Killed), self._open:
            raise _Killed


class _Killed(Exception):
    """Rolls a transaction back."""
