"""Trainings continue while PostgreSQL is unavailable.

Either it refuses connections, as while it restarts, or it only allows reads, as a standby before it is promoted.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots.database import open_database
from headshots.schema import SUCCEEDED
from tests.support.deploy import postgres
from tests.support.trainer.world import DONE, WORKING, Trainer, is_over
from tests.support.waiting import until

pytestmark = postgres.needed

AWAY = {
    "gone": ("ALLOW_CONNECTIONS false", "ALLOW_CONNECTIONS true"),
    "a standby": ("SET default_transaction_read_only = on", "RESET default_transaction_read_only"),
}


class Database:
    """A database that a test can make unavailable to its users."""

    def __init__(self, server_url: str) -> None:
        self.url = postgres.fresh_database(server_url)
        self._name = self.url.rpartition("/")[2]
        self._superuser = sa.create_engine(f"{server_url}/postgres", isolation_level="AUTOCOMMIT")

    @contextlib.contextmanager
    def away(self, how: str) -> Iterator[None]:
        begin, end = AWAY[how]
        self._do(f"ALTER DATABASE {self._name} {begin}")
        self._end_connections()
        try:
            yield
        finally:
            self._do(f"ALTER DATABASE {self._name} {end}")
            self._end_connections()

    def _end_connections(self) -> None:
        self._do(f"SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = '{self._name}'")

    def _do(self, statement: str) -> None:
        with self._superuser.connect() as connection:
            connection.execute(sa.text(statement))

    def close(self) -> None:
        self._superuser.dispose()


@pytest.fixture
def database(postgres_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The trainer's database, instead of the file that it names."""
    database = Database(postgres_server)

    def open_here(_url: str) -> Engine:
        return open_database(database.url)

    monkeypatch.setattr("tests.support.trainer.world.open_database", open_here)
    yield database
    database.close()


@pytest.mark.parametrize("how", AWAY)
async def test_a_database_that_is_unavailable_for_longer_than_the_lease_costs_no_run(
    how: str, tmp_path: Path, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    trainer = Trainer(tmp_path, [WORKING], lease_seconds=0.3)
    trainer.engine.begin()
    await trainer.start()
    await trainer.until(lambda job: job.step == 1)
    with database.away(how):
        await until(lambda: "the database failed" in caplog.text)
        # By the database's clock the lease is over then.
        await asyncio.sleep(0.5)
        assert not trainer.children[0].killed
        trainer.children[0].last_event.set_result(DONE)
        await until(lambda: trainer.children[0].killed)
        await until(lambda: "training j: trying again" in caplog.text)
    job = await trainer.until(is_over)
    assert (job.state, job.attempt, job.adapter) == (SUCCEEDED, 1, DONE.adapter)
    assert len(trainer.children) == 1
    await trainer.engine.drain()
    trainer.database.dispose()
