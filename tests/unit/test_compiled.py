"""What tests share to be quick: statements that SQLAlchemy has compiled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.sql.compiler import SQLCompiler

from headshots.database import open_database, read, write

NUMBERS = sa.table("numbers_of_this_test", sa.column("value", sa.Integer))


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[list[Engine]]:
    """Two databases with other rows."""
    engines = [open_database(f"sqlite:///{tmp_path / name}.db") for name in ("one", "other")]
    for number, engine in enumerate(engines):
        with write(engine) as connection:
            connection.exec_driver_sql(f"CREATE TABLE {NUMBERS.name} (value INTEGER)")
            connection.exec_driver_sql(f"INSERT INTO {NUMBERS.name} VALUES ({number})")
    yield engines
    for engine in engines:
        engine.dispose()


def test_a_statement_is_compiled_once_for_all_databases_of_a_kind(
    engines: list[Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, compiled = SQLCompiler.__init__, list[str]()

    def compiling(self: SQLCompiler, *args: object, **kwargs: object) -> None:
        made(self, *args, **kwargs)  # type: ignore[arg-type]
        compiled.append(str(self))

    monkeypatch.setattr(SQLCompiler, "__init__", compiling)
    for _ in range(2):
        for number, engine in enumerate(engines):
            with read(engine) as connection:
                assert connection.execute(sa.select(NUMBERS.c.value)).scalars().all() == [number]
    assert len(compiled) == 1, compiled
