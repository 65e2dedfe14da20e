"""The order of the queue, in SQL and in Python."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine

from headshots import keys, leases
from headshots.database import now_expression, open_database, write
from headshots.schema import PENDING, RUNNING, SUCCEEDED, training_jobs
from services.trainer.queue import fair_share, rows
from services.trainer.queue.fair_share import Queue, WaitingJob
from tests.support.deploy.tables import make_tables

STANDARD, HIGH = 1, 2


WEIGHTS = {"acme": 4, "a": 3}


def _queue(*waiting: tuple[str, str, int], running: dict[str, int] | None = None) -> Queue:
    jobs = [WaitingJob(id, tenant, priority, float(age)) for age, (id, tenant, priority) in enumerate(waiting)]
    return Queue(jobs, running or {}, {}, None, WEIGHTS)


def test_a_tenant_with_many_jobs_does_not_delay_anothers_first() -> None:
    many = [(f"a{number}", "acme", STANDARD) for number in range(100)]
    order = _queue(*many, ("b0", "bolt", STANDARD)).order()
    assert order[:3] == ["a0", "b0", "a1"]
    assert _queue(*many, ("b0", "bolt", STANDARD), running={"acme": 1}).order()[0] == "b0"


def test_high_priority_comes_before_the_tenants_own_standard_ones() -> None:
    waiting = [("a0", "acme", STANDARD), ("a1", "acme", HIGH), ("b0", "bolt", STANDARD)]
    assert _queue(*waiting).order() == ["a1", "b0", "a0"]
    # Whoever has nothing running goes before whoever has, with whatever priority.
    assert _queue(*waiting, running={"acme": 1}).order() == ["b0", "a1", "a0"]


def test_high_priority_gives_as_large_a_share_as_the_weight_and_never_all() -> None:
    many = [(f"a{number}", "acme", HIGH) for number in range(1600)]
    order = _queue(*many, *((f"b{number}", "bolt", STANDARD) for number in range(40))).order()
    assert "b0" in order[:2]
    assert [id[0] for id in order[:200]].count("b") == 40, "one in five"
    # Whose right was taken back has only an order of its own.
    assert [id[0] for id in Queue(_queue(*many[:4], ("b0", "bolt", STANDARD)).waiting, {}, {}, None).order()[:2]] == [
        "a",
        "b",
    ]


def test_the_expected_time_grows_with_the_position_and_is_unknown_before_the_first_run() -> None:
    assert Queue([], {}, {}, None).eta_seconds(3) is None
    alone, busy = Queue([], {"a": 1}, {}, 60.0), Queue([], {"a": 2}, {}, 60.0)
    assert alone.eta_seconds(0) == 90.0
    assert alone.eta_seconds(2) == 210.0
    assert busy.eta_seconds(2) == 135.0


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('queue') / 'jobs.db'}")
    make_tables(engine)
    _grant(engine)
    yield engine
    engine.dispose()


def _grant(engine: Engine) -> None:
    for tenant, weight in WEIGHTS.items():
        keys.create_tenant(engine, tenant)
        keys.grant_high(engine, tenant, weight)


# (tenant, priority, state, created_at, started_at)
_ROWS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from([STANDARD, HIGH]),
        st.sampled_from([PENDING, PENDING, RUNNING, SUCCEEDED]),
        st.integers(0, 5),
        st.integers(6, 9),
    ),
    max_size=12,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=_ROWS)
def test_the_row_that_is_claimed_is_the_first_in_order(
    engine: Engine, rows: list[tuple[str, int, str, int, int]]
) -> None:
    with write(engine) as connection:
        connection.execute(sa.delete(training_jobs))
        for number, (tenant, priority, state, created, started) in enumerate(rows):
            connection.execute(
                sa.insert(training_jobs).values(
                    id=f"{number:02d}",
                    tenant=tenant,
                    priority=priority,
                    state=state,
                    lease_expires_at=now_expression("sqlite") + 1_800.0 if state == RUNNING else None,
                    request={},
                    created_at=float(created),
                    started_at=None if state == PENDING else float(started),
                    ended_at=10.0 if state == SUCCEEDED else None,
                )
            )
    order = fair_share.read_queue(engine).order()
    lease = leases.claim(
        engine,
        training_jobs,
        owner="test",
        ttl_seconds=60,
        order_by=fair_share.claim_order("sqlite"),
        where=fair_share.claimable_now("sqlite"),
    )
    assert (lease.id if lease else None) == (order[0] if order else None)


def _insert(engine: Engine, *jobs: tuple[str, str, int]) -> None:
    """Replace all jobs by ``jobs``: (id, tenant, priority), the oldest first."""
    with write(engine) as connection:
        connection.execute(sa.delete(training_jobs))
        for age, (id, tenant, priority) in enumerate(jobs):
            connection.execute(
                sa.insert(training_jobs).values(
                    id=id, tenant=tenant, priority=priority, request={}, created_at=float(age)
                )
            )


def _claim(engine: Engine) -> str | None:
    """Claim the next job and start it, as a worker does."""
    dialect = engine.dialect.name
    lease = leases.claim(
        engine,
        training_jobs,
        owner="test",
        ttl_seconds=1_800.0,
        order_by=fair_share.claim_order(dialect),
        where=fair_share.claimable_now(dialect),
    )
    if lease is None:
        return None
    leases.update(engine, training_jobs, lease, started_at=now_expression(dialect))
    return lease.id


def test_a_hundred_jobs_of_one_tenant_do_not_delay_the_claim_of_anothers_first(engine: Engine) -> None:
    _insert(engine, *((f"a{number:03d}", "acme", STANDARD) for number in range(100)), ("b", "bolt", STANDARD))
    assert [_claim(engine) for _ in range(3)] == ["a000", "b", "a001"]
    # A third tenant's first job comes before the next one of the large tenant.
    with write(engine) as connection:
        connection.execute(sa.insert(training_jobs).values(id="c", tenant="cyan", request={}, created_at=4e9))
    assert fair_share.read_queue(engine).order()[0] == "c"
    assert [_claim(engine) for _ in range(2)] == ["c", "a002"]


def test_high_priority_is_claimed_first_within_a_tenant_and_weighs_as_granted(engine: Engine) -> None:
    _grant(engine)
    _insert(
        engine,
        ("a0", "acme", STANDARD),
        ("a1", "acme", HIGH),
        ("a2", "acme", HIGH),
        ("a3", "acme", HIGH),
        ("b0", "bolt", STANDARD),
        ("b1", "bolt", HIGH),
    )
    # With one of each running, a high-priority job of acme's counts a quarter, as its right says; bolt's has none.
    expected = ["a1", "b1", "a2", "a3", "b0", "a0"]
    assert fair_share.read_queue(engine).order() == expected
    assert [_claim(engine) for _ in range(7)] == [*expected, None]


def test_no_query_of_the_queue_scans_the_table(engine: Engine) -> None:
    """The table keeps every job ever, so frequent queries must use an index."""
    asked: list[tuple[str, Any]] = []

    def listen(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "UPDATE")):
            asked.append((statement, parameters))

    _insert(engine, ("a", "acme", STANDARD))
    sa.event.listen(engine, "before_cursor_execute", listen)
    fair_share.read_queue(engine)
    assert _claim(engine) == "a"
    rows.counts(engine)
    rows.oldest_waiting_seconds(engine)
    sa.event.remove(engine, "before_cursor_execute", listen)
    # Five to read the queue, two to claim, one each for the others.
    assert len(asked) == 9
    with engine.connect() as connection:
        for statement, parameters in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            assert [step.detail for step in plan if step.detail.startswith("SCAN")] == [], statement


def test_a_job_that_waits_for_its_back_off_is_not_claimed(engine: Engine) -> None:
    with write(engine) as connection:
        connection.execute(sa.delete(training_jobs))
        connection.execute(
            sa.insert(training_jobs).values(
                id="x", tenant="a", request={}, created_at=0.0, not_before=now_expression("sqlite") + 1_800.0
            )
        )
    claimed = leases.claim(
        engine, training_jobs, owner="test", ttl_seconds=60, where=fair_share.claimable_now("sqlite")
    )
    assert claimed is None


def test_a_back_off_of_a_clock_that_was_far_ahead_holds_no_job(engine: Engine) -> None:
    with write(engine) as connection:
        connection.execute(sa.delete(training_jobs))
        later = now_expression("sqlite") + 86_400.0
        connection.execute(
            sa.insert(training_jobs).values(id="x", tenant="a", request={}, created_at=0.0, not_before=later)
        )
    where = fair_share.claimable_now("sqlite")
    assert leases.claim(engine, training_jobs, owner="test", ttl_seconds=60, where=where) is not None


def test_the_queue_is_read_with_its_mean_run_time(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'jobs.db'}")
    make_tables(engine)
    with write(engine) as connection:
        for number, (state, ended) in enumerate([(SUCCEEDED, 30.0), (SUCCEEDED, 50.0), (PENDING, None)]):
            connection.execute(
                sa.insert(training_jobs).values(
                    id=str(number), tenant="a", state=state, request={}, created_at=0.0, started_at=10.0, ended_at=ended
                )
            )
    queue = fair_share.read_queue(engine)
    assert queue.mean_seconds == 30.0
    assert queue.order() == ["2"]
    assert queue.last_start == {"a": 10.0}
    engine.dispose()
