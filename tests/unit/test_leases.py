"""The lease protocol on SQLite: one owner at a time, fenced writes."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import leases
from headshots.database import database_now, open_database, read, write
from headshots.schema import PENDING, RUNNING, SUCCEEDED, training_jobs
from tests.support.deploy.tables import make_tables


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_database(f"sqlite:///{tmp_path / 'leases.db'}")
    make_tables(engine)
    return engine


def add_jobs(engine: Engine, count: int) -> None:
    with write(engine) as connection:
        for number in range(count):
            connection.execute(
                sa.insert(training_jobs).values(
                    id=f"job-{number:03}", tenant="t", request={}, created_at=database_now(connection)
                )
            )


def row(engine: Engine, job_id: str) -> sa.Row[tuple[object, ...]]:
    with read(engine) as connection:
        return connection.execute(sa.select(training_jobs).where(training_jobs.c.id == job_id)).one()


def expire(engine: Engine, job_id: str) -> None:
    with write(engine) as connection:
        connection.execute(sa.update(training_jobs).where(training_jobs.c.id == job_id).values(lease_expires_at=1.0))


def test_a_claimed_row_is_not_claimed_again(engine: Engine) -> None:
    add_jobs(engine, 1)
    lease = leases.claim(engine, training_jobs, owner="a", ttl_seconds=60)
    assert lease == leases.Lease("job-000", 1, "a")
    assert leases.claim(engine, training_jobs, owner="b", ttl_seconds=60) is None


def test_many_workers_share_the_rows_without_overlap(engine: Engine) -> None:
    add_jobs(engine, 24)
    taken: list[str] = []

    def work(owner: str) -> None:
        while lease := leases.claim(engine, training_jobs, owner=owner, ttl_seconds=60):
            taken.append(lease.id)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [f"job-{n:03}" for n in range(24)]


def test_an_expired_lease_passes_on_and_fences_the_first_owner_off(engine: Engine) -> None:
    add_jobs(engine, 1)
    first = leases.claim(engine, training_jobs, owner="a", ttl_seconds=60)
    assert first is not None
    expire(engine, first.id)
    second = leases.claim(engine, training_jobs, owner="b", ttl_seconds=60)
    assert second == leases.Lease("job-000", 2, "b")
    with pytest.raises(leases.LeaseLostError):
        leases.update(engine, training_jobs, first, step=9)
    with pytest.raises(leases.LeaseLostError):
        leases.renew(engine, training_jobs, first, ttl_seconds=60)
    leases.update(engine, training_jobs, second, step=5)
    assert row(engine, "job-000").step == 5


def test_an_expired_lease_can_be_renewed_until_another_worker_claims_it(engine: Engine) -> None:
    add_jobs(engine, 1)
    lease = leases.claim(engine, training_jobs, owner="a", ttl_seconds=60)
    assert lease is not None
    expire(engine, lease.id)
    assert leases.renew(engine, training_jobs, lease, ttl_seconds=60) is False
    assert leases.claim(engine, training_jobs, owner="b", ttl_seconds=60) is None


def test_a_finished_row_takes_no_more_writes(engine: Engine) -> None:
    add_jobs(engine, 1)
    lease = leases.claim(engine, training_jobs, owner="a", ttl_seconds=60)
    assert lease is not None
    leases.update(engine, training_jobs, lease, state=SUCCEEDED)
    finished = row(engine, "job-000")
    assert (finished.state, finished.lease_owner, finished.lease_expires_at) == (SUCCEEDED, None, None)
    with pytest.raises(leases.LeaseLostError):
        leases.update(engine, training_jobs, lease, step=1)


def test_release_gives_the_row_back_with_the_fence_raised(engine: Engine) -> None:
    add_jobs(engine, 1)
    lease = leases.claim(engine, training_jobs, owner="a", ttl_seconds=60)
    assert lease is not None
    leases.release(engine, training_jobs, lease)
    assert row(engine, "job-000").state == PENDING
    again = leases.claim(engine, training_jobs, owner="b", ttl_seconds=60)
    assert again is not None
    assert again.attempt == 2
    assert row(engine, "job-000").state == RUNNING


def test_renew_reports_a_wish_to_cancel(engine: Engine) -> None:
    add_jobs(engine, 1)
    lease = leases.claim(engine, training_jobs, owner="a", ttl_seconds=60)
    assert lease is not None
    with write(engine) as connection:
        connection.execute(sa.update(training_jobs).values(cancel_requested=True))
    assert leases.renew(engine, training_jobs, lease, ttl_seconds=60) is True


@pytest.mark.parametrize(("ahead_seconds", "taken"), [(60.0, False), (3_500.0, False), (86_400.0, True)])
def test_a_lease_of_a_clock_that_was_far_ahead_holds_nothing(
    engine: Engine, ahead_seconds: float, *, taken: bool
) -> None:
    add_jobs(engine, 1)
    held = leases.claim(engine, training_jobs, owner="a", ttl_seconds=60)
    assert held is not None
    with write(engine) as connection:
        until = database_now(connection) + ahead_seconds
        connection.execute(sa.update(training_jobs).values(lease_expires_at=until))
    found = leases.claim(engine, training_jobs, owner="b", ttl_seconds=60)
    assert (found is not None) == taken
    if found is not None:
        with pytest.raises(leases.LeaseLostError):
            leases.renew(engine, training_jobs, held, ttl_seconds=60)


@pytest.mark.parametrize(("wanted", "pause"), [(0.0, 0.0), (60.0, 60.0), (1_000_000.0, leases.LONGEST_SECONDS / 2)])
def test_no_pause_is_taken_for_one_of_a_clock_that_was_ahead(wanted: float, pause: float) -> None:
    assert leases.pause_seconds(wanted) == pause
