"""Opens the SQL database: SQLite embedded, PostgreSQL by URL; synchronous, called from asyncio via ``to_thread``.

Every time in a table is seconds since the epoch (float), and it is the database's clock that is asked, so that the
clocks of the workers need not agree.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, InternalError, OperationalError, TimeoutError

from headshots.errors import InvalidArgumentError, UnavailableError
from headshots.idle_connections import ping_idle_connections
from headshots.migrations.revisions import known_revisions, newest_revision
from headshots.settings import make_private
from headshots.threads import DATABASE_THREADS

_LOG = logging.getLogger(__name__)
_BUSY_TIMEOUT_SECONDS = 30
# A connection for every thread, of asyncio's own executor too: writes that wait for a lock keep theirs, and no read or
# look-up of a key waits for one.
_THREADS = min(32, (os.cpu_count() or 1) + 4) + DATABASE_THREADS
# The one given back last is taken first: its pages are in memory, or its statements prepared and it surely lives.
_POOL: dict[str, Any] = {"pool_size": _THREADS, "pool_use_lifo": True}
# InternalError is how psycopg has it where a standby, which only answers, is taken for the server during a failover.
_AWAY = (OperationalError, InterfaceError, InternalError, TimeoutError)
# Any constant will do, as long as every process takes the same one for migrations.
_MIGRATION_LOCK = 0x68656164


def open_database(url: str) -> Engine:
    """Open ``sqlite:///path`` (folders are made) or ``postgresql+psycopg://user@host/name``.

    Raises:
        InvalidArgumentError: DATABASE_URL_INVALID.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidArgumentError(
            "DATABASE_URL_INVALID", f"{url!r} is not a database URL, as sqlite:////absolute/path.db or postgresql://…"
        ) from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _open_sqlite(parsed)
    if backend == "postgresql":
        engine = sa.create_engine(parsed.set(drivername="postgresql+psycopg"), **_POOL)
        ping_idle_connections(engine)
        return engine
    raise InvalidArgumentError(
        "DATABASE_URL_INVALID", f"{backend} is not supported: use sqlite:///path or postgresql+psycopg://…"
    )


def _open_sqlite(url: URL) -> Engine:
    """WAL, so that readers and the one writer do not wait for each other; transactions are ours, not the driver's."""
    if url.database and url.database != ":memory:":
        file = Path(url.database).absolute()
        make_private(file.parent)
        # The folder may have been there, and open to others. SQLite gives its log the same mode, and tells of a file
        # that cannot be made.
        with contextlib.suppress(OSError):
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    arguments = {"timeout": _BUSY_TIMEOUT_SECONDS, "check_same_thread": False}
    engine = sa.create_engine(url, connect_args=arguments, **_POOL)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        _switch_to_wal(cursor)
        # What is deleted is overwritten with zeros, or erased names would stay in the file's free space.
        for pragma in ("synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("headshots_no_transaction", False):
            return
        # A deferred transaction that later writes can fail with SQLITE_BUSY at once; an immediate one waits its turn.
        write_first = connection.get_execution_options().get("headshots_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write_first else "BEGIN")

    return engine


def _switch_to_wal(cursor: Any) -> None:
    """Switching a new file to WAL needs it alone, and SQLite does not apply the busy timeout to that; so wait here."""
    deadline = time.monotonic() + _BUSY_TIMEOUT_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


@contextlib.contextmanager
def write(engine: Engine) -> Iterator[Connection]:
    """One write transaction: committed at the end, rolled back on an error.

    Raises:
        UnavailableError: DATABASE_UNAVAILABLE, when the database is away, stays locked or has no connection free.
    """
    with (
        _unavailable(),
        engine.connect().execution_options(headshots_write=True) as connection,
        connection.begin(),
    ):
        yield connection


@contextlib.contextmanager
def read(engine: Engine) -> Iterator[Connection]:
    """One read transaction, which sees one state of the database throughout. Raises as :func:`write`."""
    # SQLite's do; PostgreSQL's look anew with each statement unless they are told.
    options = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    with _unavailable(), engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextlib.contextmanager
def look(engine: Engine) -> Iterator[Connection]:
    """For one statement, which sees one state by itself: nothing is sent to begin or to end. Raises as `write`."""
    is_remote = engine.dialect.name == "postgresql"
    options = {"isolation_level": "AUTOCOMMIT"} if is_remote else {"headshots_no_transaction": True}
    with _unavailable(), engine.connect().execution_options(**options) as connection:
        yield connection


def forget_deleted(engine: Engine) -> None:
    """Have no file of an SQLite database hold what was deleted before the call.

    The write-ahead log keeps the pages as they were until all of it is in the database and it is cut off, for which
    readers and writers are waited for. On PostgreSQL this does nothing: there vacuuming is the operator's.

    Raises:
        UnavailableError: DATABASE_UNAVAILABLE, also where readers or writers did not end in time.
    """
    if engine.dialect.name != "sqlite":
        return
    deadline = time.monotonic() + _BUSY_TIMEOUT_SECONDS
    with _unavailable(), engine.connect().execution_options(headshots_no_transaction=True) as connection:
        # SQLite applies the busy timeout to readers and writers, but not to others that cut the log off; so wait here.
        while connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]:
            if time.monotonic() > deadline:
                raise UnavailableError(
                    "DATABASE_UNAVAILABLE",
                    "the database was read or written for too long to erase what was deleted from its log; try again",
                )
            time.sleep(0.02)


def compact(engine: Engine) -> None:
    """Rewrites an SQLite database, so that no page of it holds pieces of rows that are deleted or changed.

    SQLite overwrites a row that goes (`secure_delete`), but not the place that it has moved a row from, as it does
    where pages are split and joined: what was there stays until something else is written over it. It takes as long as
    the database is large, as much room again on its disk, and writers wait. On PostgreSQL this does nothing, as
    :func:`forget_deleted`, which has to follow: the log has the pages as they were.

    Raises:
        UnavailableError: DATABASE_UNAVAILABLE, also where there is no room.
    """
    if engine.dialect.name == "sqlite":
        with _unavailable(), engine.connect().execution_options(headshots_no_transaction=True) as connection:
            connection.exec_driver_sql("VACUUM")


@contextlib.contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except (*_AWAY, DatabaseError) as error:
        damaged = damage(error)
        if not damaged and not isinstance(error, _AWAY):
            raise
        # Hosts, files and statements are for the log: the message goes to callers.
        _LOG.warning("the database failed: %s", getattr(error, "orig", error))
        raise UnavailableError(
            "DATABASE_UNAVAILABLE",
            "the database is damaged, and trying again does not help; the operator puts a backup in its place"
            if damaged
            else "the database does not answer, or was locked for too long; try again, and if it stays so see the "
            "service's log",
        ) from error


def damage(error: BaseException) -> str:
    """SQLite's own words where the file of its database is damaged, or is none; empty of other errors."""
    code = getattr(original := getattr(error, "orig", None), "sqlite_errorcode", 0) & 0xFF  # without its extension
    return str(original) if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) else ""


def now_expression(dialect_name: str) -> sa.ColumnElement[float]:
    """SQL for the database's clock, seconds since the epoch."""
    if dialect_name == "sqlite":
        return sa.literal_column("((julianday('now') - 2440587.5) * 86400.0)", sa.Float)
    return sa.literal_column("extract(epoch from clock_timestamp())::double precision", sa.Float)


def database_now(connection: Connection) -> float:
    """The database's clock, seconds since the epoch."""
    return float(connection.execute(sa.select(now_expression(connection.dialect.name))).scalar_one())


def migrate(engine: Engine) -> None:
    """Bring the schema up to date. Several processes may call it at once: one migrates, the others wait.

    Raises:
        UnavailableError: DATABASE_UNAVAILABLE.
        alembic.util.CommandError: a newer version of ours has migrated it.
    """
    with read(engine) as connection:
        found, newest, _ = schema_revisions(connection)
    if found == newest:
        return
    # Most starts have nothing to migrate; Alembic's import takes 0.2 s of CPU time and tells of each of its plugins.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
    from headshots.migrations.upgrading import upgrade

    with write(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        upgrade(connection)


def schema_revisions(connection: Connection) -> tuple[str | None, str, bool]:
    """The schema's revision (None: no migration has run), the newest that there is, and whether the former is known."""
    newest = newest_revision()
    table = sa.table("alembic_version", sa.column("version_num"))
    if not sa.inspect(connection).has_table(table.name):
        return None, newest, True
    found = connection.execute(sa.select(table.c.version_num)).scalar_one_or_none()
    return found, newest, found is None or found in known_revisions()
