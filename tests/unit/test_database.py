"""Opening and migrating databases."""

from __future__ import annotations

import contextlib
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.engine import Engine

from headshots.database import migrate, open_database, read, schema_revisions, write
from headshots.errors import InvalidArgumentError, UnavailableError
from headshots.migrations.revisions import known_revisions, newest_revision
from headshots.schema import metadata, subjects, tenants
from headshots.threads import DATABASE_THREADS
from tests.support.deploy.tables import make_tables


def test_a_new_database_is_its_owners_alone_in_a_folder_that_others_read(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    engine = open_database(f"sqlite:///{tmp_path / 'new.db'}")
    migrate(engine)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    engine.dispose()


def test_the_connection_given_back_last_is_taken_first(tmp_path: Path) -> None:
    """Its pages are in memory; turns among all that were ever open would leave each of them cold."""
    engine = open_database(f"sqlite:///{tmp_path / 'new.db'}")
    first, second = engine.connect(), engine.connect()
    last = second.connection.driver_connection
    first.close()
    second.close()
    for _ in range(3):
        with read(engine) as connection:
            assert connection.connection.driver_connection is last
    engine.dispose()


def test_migrations_give_the_schema_that_the_code_uses(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'new' / 'folder' / 'a.db'}")
    migrate(engine)
    with read(engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_tests_are_given_what_migrations_make(tmp_path: Path) -> None:
    engines = [open_database(f"sqlite:///{tmp_path / name}.db") for name in ("migrated", "copied")]
    for engine, make in zip(engines, (migrate, make_tables), strict=True):
        make(engine)
    migrated, copied = map(_dump, engines)
    assert "CREATE TABLE" in migrated
    assert copied == migrated
    migrate(engines[1])
    assert _dump(engines[1]) == migrated, "there is nothing left to migrate"


def test_a_database_with_tables_keeps_what_it_holds(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    make_tables(engine)
    with write(engine) as connection:
        connection.execute(sa.insert(tenants).values(id="acme", created_at=0.0))
    make_tables(engine)
    with read(engine) as connection:
        assert connection.execute(sa.select(tenants.c.id)).scalar_one() == "acme"


def _dump(engine: Engine) -> str:
    """Everything in it, as SQL; and its log is ahead of it."""
    with contextlib.closing(engine.raw_connection()) as connection:
        mode = connection.cursor().execute("PRAGMA journal_mode").fetchone()
        return "\n".join([*connection.driver_connection.iterdump(), *mode])  # type: ignore[union-attr]


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


def _at_revision(engine: Engine, revision: str) -> None:
    with write(engine) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :to"), {"to": revision})


def test_revisions_are_known_by_the_names_of_their_files() -> None:
    config = Config()
    config.set_main_option("script_location", "headshots:migrations")
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    assert known_revisions() == {script.revision for script in scripts.walk_revisions()}
    assert newest_revision() == scripts.get_current_head()


def test_alembic_is_imported_where_there_is_something_to_migrate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    make_tables(engine)
    monkeypatch.delitem(sys.modules, "headshots.migrations.upgrading", raising=False)
    monkeypatch.setitem(sys.modules, "alembic", None)  # importing it raises
    migrate(engine)
    _at_revision(engine, "0028")
    with pytest.raises(ImportError, match="alembic"):
        migrate(engine)
    engine.dispose()


def test_a_database_that_was_taken_back_to_nothing_has_no_revision(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    with write(engine) as connection:
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
    with read(engine) as connection:
        assert schema_revisions(connection) == (None, newest_revision(), True)
    engine.dispose()


def test_a_first_start_tells_its_migrations_and_nothing_of_plugins(tmp_path: Path) -> None:
    program = (
        "import logging, sys; logging.basicConfig(level=logging.INFO); from headshots.database import *; "
        "migrate(open_database(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, f"sqlite:///{tmp_path / 'a.db'}"], capture_output=True, text=True, check=True
    )
    lines = done.stderr.splitlines()
    assert lines
    assert all(line.startswith("INFO:alembic.runtime.migration:Running upgrade ") for line in lines), lines[:3]


def test_a_schema_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    make_tables(engine)
    _at_revision(engine, "9999")
    with pytest.raises(CommandError, match="'9999'"):
        migrate(engine)
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


@pytest.mark.parametrize("first_bytes", [b"no database at all" * 400, None])
def test_a_database_that_is_damaged_is_told_so(tmp_path: Path, first_bytes: bytes | None) -> None:
    file = tmp_path / "a.db"
    if first_bytes is None:  # the header is whole, and the schema's page is not
        make_tables(engine := open_database(f"sqlite:///{file}"))
        engine.dispose()
        first_bytes = file.read_bytes()[:100] + b"\xff" * 4000
    file.write_bytes(first_bytes)
    with pytest.raises(UnavailableError, match="DATABASE_UNAVAILABLE: the database is damaged, and trying again"):
        migrate(open_database(f"sqlite:///{file}"))


@pytest.mark.parametrize("url", ["sqlite:///{}/a.db", "postgresql+psycopg://host/name"])
def test_every_thread_gets_a_connection(url: str, tmp_path: Path) -> None:
    executor = ThreadPoolExecutor()
    pool = open_database(url.format(tmp_path)).pool
    assert isinstance(pool, sa.pool.QueuePool)
    assert pool.size() >= executor._max_workers + DATABASE_THREADS
    executor.shutdown()


def test_the_folder_of_a_database_is_its_owners_only(tmp_path: Path) -> None:
    open_database(f"sqlite:///{tmp_path / 'home' / 'a.db'}")
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700
    (tmp_path / "shared").mkdir(mode=0o755)
    open_database(f"sqlite:///{tmp_path / 'shared' / 'a.db'}")
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o755


def test_what_is_older_than_labels_has_none(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    config = Config()
    config.set_main_option("script_location", "headshots:migrations")
    config.set_main_option("path_separator", "os")
    with write(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0008")
        connection.execute(sa.text("INSERT INTO tenants VALUES ('acme', '', 0, 1, 0)"))
        connection.execute(
            sa.text(
                "INSERT INTO subjects (id, tenant_id, display_name, class_noun, deleting, created_at) "
                "VALUES ('ada', 'acme', 'Ada', 'woman', 0, 0)"
            )
        )
    migrate(engine)
    with read(engine) as connection:
        [row] = connection.execute(sa.select(subjects)).all()
    assert (row.display_name, row.labels, row.external_id) == ("Ada", {}, "")
    with write(engine) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0008")
        assert "labels" not in {column["name"] for column in sa.inspect(connection).get_columns("subjects")}
    engine.dispose()
