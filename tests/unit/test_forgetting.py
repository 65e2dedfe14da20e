"""What was deleted is in no file of a database once it is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from headshots.database import compact, forget_deleted, migrate, open_database, read, write
from headshots.errors import UnavailableError
from headshots.schema import metadata
from services.gateway.marks.rows import erase_marks, record_mark


def anywhere(folder: Path, words: bytes) -> list[str]:
    """The files of a folder that hold the words."""
    return sorted(path.name for path in folder.iterdir() if words in path.read_bytes())


@pytest.fixture
def leaves_deleted() -> Iterator[None]:
    """SQLite as most build it: Debian's overwrites what is deleted unless it is told otherwise."""

    def leave(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA secure_delete=OFF")

    event.listen(sa.pool.Pool, "connect", leave)
    yield
    event.remove(sa.pool.Pool, "connect", leave)


@pytest.mark.usefixtures("leaves_deleted")
def test_what_was_deleted_or_replaced_is_in_no_file_once_it_is_forgotten(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    people = sa.Table("people", sa.MetaData(), sa.Column("name", sa.String), sa.Column("note", sa.String))
    people.create(engine)
    with write(engine) as connection:
        for number in range(50):
            # Notes that fill pages of their own, and names within a page.
            connection.execute(sa.insert(people).values(name=f"Ada {number} of Acme", note=f"Ada {number} " * 1000))
    forget_deleted(engine)  # so that all is in the database itself
    with write(engine) as connection:
        connection.execute(sa.update(people).where(people.c.name.like("Ada 1%")).values(name=""))
        connection.execute(sa.delete(people).where(people.c.name != ""))
        connection.execute(sa.update(people).values(note=""))
    assert anywhere(tmp_path, b"Ada"), "or there is nothing to forget"
    forget_deleted(engine)
    assert anywhere(tmp_path, b"Ada") == []
    engine.dispose()


def test_what_sqlite_has_moved_within_its_pages_is_gone_once_it_is_compact(tmp_path: Path) -> None:
    engine, random = open_database(f"sqlite:///{tmp_path / 'a.db'}"), Random(0)
    migrate(engine)
    for number in range(50):
        with write(engine) as connection:
            for _ in range(80):
                key = f"tenants/acme/subjects/{number}/images/{random.getrandbits(256):064x}.png"
                record_mark(connection, f"{random.getrandbits(64):016x}", "acme", str(number), key)
        with write(engine) as connection:
            erase_marks(connection, str(number))
        forget_deleted(engine)
        if anywhere(tmp_path, b"acme/subjects/"):
            break
    else:
        pytest.fail("nothing is left over, so there is nothing to show")
    compact(engine)
    forget_deleted(engine)
    assert anywhere(tmp_path, b"acme/subjects/") == []
    engine.dispose()


def test_what_is_still_read_is_not_called_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headshots.database._BUSY_TIMEOUT_SECONDS", 0.05)
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    migrate(engine)
    with read(engine) as connection:
        connection.execute(sa.select(metadata.tables["tenants"])).all()
        with write(engine) as writer:
            writer.execute(sa.delete(metadata.tables["tenants"]))
        with pytest.raises(UnavailableError, match="DATABASE_UNAVAILABLE"):
            forget_deleted(engine)
    forget_deleted(engine)
    engine.dispose()


def test_several_may_forget_at_the_same_time(tmp_path: Path) -> None:
    """While one of them waits for a reader, SQLite refuses the others at once."""
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    migrate(engine)
    with ThreadPoolExecutor(2) as threads:
        with read(engine) as connection:
            connection.execute(sa.select(metadata.tables["tenants"])).all()
            with write(engine) as writer:
                writer.execute(sa.delete(metadata.tables["tenants"]))
            forgetting = [threads.submit(forget_deleted, engine) for _ in range(2)]
            assert wait(forgetting, timeout=1.0, return_when=FIRST_COMPLETED).done == set()
        for each in forgetting:
            each.result()
    engine.dispose()
