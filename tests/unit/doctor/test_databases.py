"""A database is asked whether it answers, for its schema and its clock, and nothing in it changes."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from headshots.database import database_now, migrate, open_database, write
from headshots.doctor.databases import DatabaseLook
from headshots.doctor.findings import Result, State
from headshots.doctor.running import run
from headshots.doctor.secrets import Redactor
from tests.support.ports import free_port


def looked_at(url: str) -> dict[str, Result]:
    return {each.check: each for each in run("gateway", DatabaseLook(url).checks, Redactor({}))}


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Of a database at its newest schema."""
    made = f"sqlite:///{tmp_path / 'headshots.db'}"
    engine = open_database(made)
    migrate(engine)
    engine.dispose()
    return made


def at_revision(url: str, revision: str) -> None:
    engine = open_database(url)
    with write(engine) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :to"), {"to": revision})
    engine.dispose()


def test_one_at_its_newest_schema_is_fine(url: str) -> None:
    found = looked_at(url)
    assert {each.state for each in found.values()} == {State.OK}
    assert found["schema"].seen.endswith(", the newest")
    assert found["clock"].seen == "the database's and this machine's are 0.0 s apart"


def test_one_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    found = looked_at(f"sqlite:///{tmp_path / 'home' / 'headshots.db'}")
    assert found["database"].state is State.OK
    assert "the first start makes" in found["database"].seen
    assert (found["schema"].state, found["schema"].seen) == (State.SKIPPED, "there is no database yet")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_one_stays_empty(tmp_path: Path) -> None:
    file = tmp_path / "headshots.db"
    file.touch()
    assert looked_at(f"sqlite:///{file}")["schema"].seen.startswith("empty; the first start migrates it to ")
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_an_older_schema_is_a_warning_and_a_newer_one_a_failure(url: str) -> None:
    at_revision(url, "0001")
    found = looked_at(url)["schema"]
    assert (found.state, found.cure) == (
        State.WARNING,
        "start a gateway or a trainer of this version: it migrates",
    )
    at_revision(url, "9999")
    found = looked_at(url)["schema"]
    assert found.state is State.FAILED
    assert "at 9999, which this version does not know" in found.seen
    assert found.cure


@pytest.mark.parametrize(("seconds", "side"), [(-40.0, "behind"), (40.0, "ahead of")])
def test_clocks_that_differ_are_told(url: str, monkeypatch: pytest.MonkeyPatch, seconds: float, side: str) -> None:
    monkeypatch.setattr(
        "headshots.doctor.databases.database_now", lambda connection: database_now(connection) + seconds
    )
    found = looked_at(url)["clock"]
    assert found.state is State.WARNING
    assert f"the database's is 40 s {side} this machine's" in found.seen
    assert "NTP" in found.cure


def test_one_that_is_away_is_told_without_its_password() -> None:
    port = free_port()
    found = looked_at(f"postgresql+psycopg://ada:geheim@127.0.0.1:{port}/headshots")
    assert found["database"].state is State.FAILED
    assert "refused" in found["database"].seen.lower()
    assert str(port) in found["database"].seen
    assert "see that the server runs" in found["database"].cure
    assert {found[name].state for name in ("schema", "clock")} == {State.SKIPPED}
    assert "geheim" not in str(found)


@pytest.mark.parametrize("url", ["mysql://ada:geheim@db/x", "postgresql+psycopg//ada:geheim@db/x", "geheim"])
def test_no_url_of_a_database_is_told(url: str) -> None:
    found = looked_at(url)["database"]
    assert found.state is State.FAILED
    assert found.seen.startswith("DATABASE_URL_INVALID")
    assert "ada:geheim" not in found.seen


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    file = tmp_path / "headshots.db"
    file.write_text("this is text " * 1000)
    found = looked_at(f"sqlite:///{file}")["database"]
    assert found.state is State.FAILED
    assert found.seen == f"{file} is damaged, or is no SQLite database: file is not a database"
    assert "put a backup in its place" in found.cure
