"""Opening and migrating databases."""

from __future__ import annotations

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from headshots.database import migrate, open_database, read, write
from headshots.errors import InvalidArgumentError, UnavailableError
from headshots.schema import metadata


def test_migrations_give_the_schema_that_the_code_uses(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'new' / 'folder' / 'a.db'}")
    migrate(engine)
    with read(engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_start_tells_of_migrations_and_of_nothing_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    with caplog.at_level("INFO"):
        migrate(engine)
    told = [record.getMessage() for record in caplog.records]
    assert told
    assert all(message.startswith("Running upgrade ") for message in told)
    caplog.clear()
    with caplog.at_level("INFO"):
        migrate(engine)
    assert caplog.records == []
    engine.dispose()


def test_several_processes_may_migrate_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    failures: list[BaseException] = []

    def start() -> None:
        try:
            migrate(open_database(url))
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/db"])
def test_an_unusable_url_is_named(url: str) -> None:
    with pytest.raises(InvalidArgumentError, match="DATABASE_URL_INVALID"):
        open_database(url)


@pytest.mark.parametrize(
    "failure",
    [
        sa.exc.OperationalError("SELECT 1", {}, Exception("could not connect to db.internal")),
        sa.exc.InterfaceError("SELECT 1", {}, Exception("connection to db.internal is closed")),
        sa.exc.InternalError(
            "SELECT 1", {}, Exception("cannot execute UPDATE in a read-only transaction on db.internal")
        ),
        sa.exc.TimeoutError("QueuePool limit reached on db.internal"),
    ],
)
def test_a_database_that_fails_is_unavailable_and_says_nothing_of_the_inside(
    failure: Exception, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    for transaction in (read, write):
        with pytest.raises(UnavailableError, match="DATABASE_UNAVAILABLE") as caught, transaction(engine):
            raise failure
        assert "db.internal" not in caught.value.message
        assert "try again" in caught.value.message
    assert "db.internal" in caplog.text
    engine.dispose()


def test_a_database_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "a.db").mkdir()
    with pytest.raises(UnavailableError, match="DATABASE_UNAVAILABLE"):
        migrate(open_database(f"sqlite:///{tmp_path / 'a.db'}"))


@pytest.mark.parametrize("url", ["sqlite:///{}/a.db", "postgresql+psycopg://host/name"])
def test_every_thread_of_the_executor_gets_a_connection(url: str, tmp_path: Path) -> None:
    executor = ThreadPoolExecutor()
    pool = open_database(url.format(tmp_path)).pool
    assert isinstance(pool, sa.pool.QueuePool)
    assert pool.size() >= executor._max_workers
    executor.shutdown()


def test_the_folder_of_a_database_is_its_owners_only(tmp_path: Path) -> None:
    open_database(f"sqlite:///{tmp_path / 'home' / 'a.db'}")
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700
    (tmp_path / "shared").mkdir(mode=0o755)
    open_database(f"sqlite:///{tmp_path / 'shared' / 'a.db'}")
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o755
