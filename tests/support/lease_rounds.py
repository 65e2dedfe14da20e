"""Tests the lease protocol as a state machine: workers freeze, die and wake while the database's clock jumps.

Every rule calls the real :mod:`headshots.leases`. A worker is frozen while no rule uses its lease, and wakes when one
does, however many others have had the row meanwhile. A model beside the database knows who may write. An answer that
it does not expect, or a row that differs from it, is a failure.
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
# The clock has whole seconds, so no lease expires exactly now.
TTLS = st.sampled_from([10.5, 30.5])
MAX_ROWS = 4


@dataclass
class Row:
    """The model of a row: its expected columns, and the lease that may write to it."""

    state: str = PENDING
    attempt: int = 0
    holder: Lease | None = None
    expires_at: float | None = None
    step: int = 0
    # The lease of every write that was accepted.
    writes: list[Lease] = field(default_factory=list)

    def is_claimable(self, now: float) -> bool:
        return self.state == PENDING or (self.expires_at is not None and self.expires_at < now)

    def end_lease(self, state: str) -> None:
        self.state, self.holder, self.expires_at = state, None, None


class LeaseRounds(RuleBasedStateMachine):
    """Each database subclasses it with an ``engine`` and its ``clock``; one run is one round."""

    engine: Engine
    clock: DatabaseClock
    held = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGINNING
        self.clock.set(self.now)
        self.rows: dict[str, Row] = {}
        # The id of the row with an open transaction, to which no other can write meanwhile.
        self.locked: str | None = None
        with write(self.engine) as connection:
            connection.execute(sa.delete(training_jobs))
        self.queue()

    @precondition(lambda self: len(self.rows) < MAX_ROWS)
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
        def change_model(row: Row) -> None:
            row.expires_at = self.now + ttl

        self._write(lease, change_model, lambda: leases.renew(self.engine, training_jobs, lease, ttl_seconds=ttl))

    @rule(lease=held, step=st.integers(1, 1000))
    def progress(self, lease: Lease, step: int) -> None:
        def change_model(row: Row) -> None:
            row.step = step

        self._write(lease, change_model, lambda: leases.update(self.engine, training_jobs, lease, step=step))

    @rule(lease=held)
    def finish(self, lease: Lease) -> None:
        def change_model(row: Row) -> None:
            row.end_lease(SUCCEEDED)

        self._write(lease, change_model, lambda: leases.update(self.engine, training_jobs, lease, state=SUCCEEDED))

    @rule(lease=held)
    def give_back(self, lease: Lease) -> None:
        def change_model(row: Row) -> None:
            row.end_lease(PENDING)

        self._write(lease, change_model, lambda: leases.release(self.engine, training_jobs, lease))

    @rule(lease=consumes(held))
    def worker_dies(self, lease: Lease) -> None:
        """Its lease is never used again."""

    def _write(self, lease: Lease, change_model: Callable[[Row], None], write_row: Callable[[], object]) -> None:
        """Writes under ``lease`` to the row, then to the model. It has to be refused to all but the holder."""
        row = self.rows[lease.id]
        if lease.id == self.locked:
            # It would wait for the commit of the open transaction.
            return
        if row.holder != lease:
            with pytest.raises(LeaseLostError):
                write_row()
            return
        write_row()
        change_model(row)
        row.writes.append(lease)

    @invariant()
    def rows_are_as_their_holders_left_them(self) -> None:
        with read(self.engine) as connection:
            found = {row.id: row for row in connection.execute(sa.select(training_jobs))}
        assert set(found) == set(self.rows)
        for id, row in self.rows.items():
            now = found[id]
            owner = row.holder.owner if row.holder else None
            assert (now.state, now.attempt, now.lease_owner, now.step) == (row.state, row.attempt, owner, row.step), id
            assert now.lease_expires_at == pytest.approx(row.expires_at, abs=0.01)

    @invariant()
    def no_row_has_writes_of_two_owners_at_once(self) -> None:
        for row in self.rows.values():
            attempts = [lease.attempt for lease in row.writes]
            assert attempts == sorted(attempts)
            owners: defaultdict[int, set[str]] = defaultdict(set)
            for lease in row.writes:
                owners[lease.attempt].add(lease.owner)
            assert all(len(names) == 1 for names in owners.values())


class TransactionRounds(LeaseRounds):
    """With workers that freeze within a transaction, for a database that lets others write meanwhile."""

    held = LeaseRounds.held

    def __init__(self) -> None:
        super().__init__()
        self._open = contextlib.ExitStack()
        self._change_model: Callable[[], None] = lambda: None

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

        def change_model() -> None:
            row.step = step
            row.writes.append(lease)

        self._change_model = change_model

    @precondition(lambda self: self.locked is not None)
    @rule()
    def wakes_and_commits(self) -> None:
        self._open.close()
        self.locked = None
        self._change_model()

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
