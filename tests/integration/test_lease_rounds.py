"""200 rounds of the lease protocol pass on SQLite and 200 on PostgreSQL, and a broken protocol is noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.engine import Engine

from headshots import leases
from headshots.database import database_now, migrate, open_database, read
from headshots.leases import Lease
from headshots.schema import PENDING, RUNNING
from tests.support.clocks import DatabaseClock, PostgresClock, open_with_clock
from tests.support.deploy import postgres
from tests.support.lease_rounds import LeaseRounds, TransactionRounds

ROUNDS = settings(
    max_examples=200, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[tuple[Engine, DatabaseClock]]:
    engine, clock = open_with_clock(f"sqlite:///{tmp_path / 'rounds.db'}")
    migrate(engine)
    yield engine, clock
    engine.dispose()


@pytest.fixture
def postgresql(postgres_server: str) -> Iterator[tuple[Engine, DatabaseClock]]:
    url = postgres.fresh_database(postgres_server)
    clock, engine = PostgresClock(url), open_database(url)
    migrate(engine)
    yield engine, clock
    engine.dispose()
    clock.close()


def run_rounds(kind: type[LeaseRounds], world: tuple[Engine, DatabaseClock], rounds: settings) -> None:
    engine, clock = world
    run_state_machine_as_test(type("Rounds", (kind,), {"engine": engine, "clock": clock}), settings=rounds)


def test_200_rounds_on_sqlite(sqlite: tuple[Engine, DatabaseClock]) -> None:
    run_rounds(LeaseRounds, sqlite, ROUNDS)


@postgres.needed
def test_200_rounds_on_postgresql(postgresql: tuple[Engine, DatabaseClock]) -> None:
    run_rounds(TransactionRounds, postgresql, ROUNDS)


def _fence_without_attempt(table: sa.Table, lease: Lease) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.id == lease.id, table.c.state == RUNNING)


def _fence_by_owner(table: sa.Table, lease: Lease) -> sa.ColumnElement[bool]:
    return sa.and_(_fence_without_attempt(table, lease), table.c.lease_owner == lease.owner)


def _fence_without_state(table: sa.Table, lease: Lease) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.id == lease.id, table.c.attempt == lease.attempt)


def _claim_held_rows(table: sa.Table, now: sa.ColumnElement[float]) -> sa.ColumnElement[bool]:
    return table.c.state.in_((PENDING, RUNNING))


def _claim_no_expired_leases(table: sa.Table, now: sa.ColumnElement[float]) -> sa.ColumnElement[bool]:
    return table.c.state == PENDING


@pytest.mark.parametrize(
    ("part", "broken"),
    [
        ("_held", _fence_without_attempt),
        ("_held", _fence_by_owner),
        ("_held", _fence_without_state),
        ("claimable", _claim_held_rows),
        ("claimable", _claim_no_expired_leases),
    ],
)
def test_the_rounds_notice_a_broken_protocol(
    part: str, broken: Callable[..., object], sqlite: tuple[Engine, DatabaseClock], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, part, broken)
    # The same rounds each time, and the first failure is enough.
    rounds = settings(ROUNDS, derandomize=True, database=None, phases=[Phase.generate], report_multiple_bugs=False)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        run_rounds(LeaseRounds, sqlite, rounds)


@postgres.needed
def test_the_clocks_are_the_databases_own(
    sqlite: tuple[Engine, DatabaseClock], postgresql: tuple[Engine, DatabaseClock]
) -> None:
    for engine, clock in (sqlite, postgresql):
        for seconds in (1_900_000_000.0, 1_700_000_000.0):
            clock.set(seconds)
            with read(engine) as connection:
                assert database_now(connection) == pytest.approx(seconds, abs=0.01)
