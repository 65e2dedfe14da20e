"""Lets a test set the clock of a database, while the code under test uses its ordinary SQL."""

from __future__ import annotations

from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Engine

from headshots.database import open_database

# Any recent moment.
BEGINNING = 1_800_000_000.0


class DatabaseClock(Protocol):
    """The clock of a database, in seconds since the epoch."""

    def set(self, seconds: float) -> None:
        """Set the clock, forwards or backwards."""


class SqliteClock:
    """SQLite's own ``julianday`` is shadowed by a function of the same name, as SQLite allows.

    Made before the engine's first connection. As precise as a Julian day in a double: some 40 microseconds.
    """

    def __init__(self, engine: Engine) -> None:
        self._seconds = BEGINNING
        event.listen(engine, "connect", self._shadow)

    def _shadow(self, connection: Any, _record: Any) -> None:
        connection.create_function("julianday", 1, lambda _now: self._seconds / 86400.0 + 2440587.5)

    def set(self, seconds: float) -> None:
        """As :class:`DatabaseClock`."""
        self._seconds = seconds


class PostgresClock:
    """PostgreSQL's ``clock_timestamp`` is shadowed by one in a schema that is searched before its own."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with self._engine.connect() as connection:
            for statement in (
                f"CREATE TABLE public.test_clock AS SELECT {BEGINNING}::double precision AS seconds",
                "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz VOLATILE LANGUAGE sql"
                " AS 'SELECT to_timestamp(seconds) FROM public.test_clock'",
                f"ALTER DATABASE {self._engine.url.database} SET search_path = public, pg_catalog",
            ):
                connection.execute(sa.text(statement))

    def set(self, seconds: float) -> None:
        """As :class:`DatabaseClock`."""
        with self._engine.connect() as connection:
            connection.execute(sa.text("UPDATE public.test_clock SET seconds = :seconds"), {"seconds": seconds})

    def close(self) -> None:
        """Close the connection."""
        self._engine.dispose()


def open_with_clock(url: str) -> tuple[Engine, SqliteClock]:
    """A SQLite database and its clock."""
    engine = open_database(url)
    return engine, SqliteClock(engine)
