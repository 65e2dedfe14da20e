"""Tests `headshots erasure replay` on databases and stores as a restore leaves them; it runs a process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from typer.testing import CliRunner

from headshots import keys, schema
from headshots.artifacts import ArtifactStore
from headshots.cli.app import app
from headshots.database import open_database
from headshots.receipts.signing import ReceiptKey
from services.gateway.api.requests import IdempotencyKey
from services.gateway.erasures.issuing import Issuer
from services.gateway.erasures.log import ErasureLog
from services.gateway.erasures.models import Trigger
from services.gateway.subjects.rows import create_subject, hold_subject
from tests.support.deploy.tables import make_tables
from tests.support.receipts import chain

NOW = 1.75e9


@dataclass
class Restored:
    """A database and a store with two people, and a log apart from them that tells of the erasure of one."""

    folder: Path
    database: Engine
    store: ArtifactStore
    erased: str
    living: str

    def replay(self, *options: str, code: int = 0) -> str:
        urls = {"--database": f"sqlite:///{self.folder / 'db' / 'headshots.db'}"}
        urls |= {f"--{name}": (self.folder / name).as_uri() for name in ("store", "log")}
        arguments = [part for option in urls.items() for part in option]
        done = CliRunner().invoke(app, ["erasure", "replay", *arguments, *options])
        assert done.exit_code == code, done.output
        assert done.exception is None or isinstance(done.exception, SystemExit)
        return done.stdout


@pytest.fixture
def restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Restored]:
    monkeypatch.setenv("HEADSHOTS_HOME", str(tmp_path / "home"))
    database = open_database(f"sqlite:///{tmp_path / 'db' / 'headshots.db'}")
    make_tables(database)
    keys.create_tenant(database, "acme")
    store, log = (ArtifactStore.open((tmp_path / name).as_uri()) for name in ("store", "log"))
    erased, living = (
        create_subject(database, "acme", display_name="Ada", class_noun="", key=IdempotencyKey()).id for _ in range(2)
    )
    hold_subject(database, "acme", erased, "a dispute")
    for subject in (erased, living, "gone"):
        store.put_sync(f"tenants/acme/subjects/{subject}/photos/a.png", b"x")
    for subject in (erased, "gone"):
        ErasureLog(log).write("acme", subject, Trigger.REQUEST, NOW)
    yield Restored(tmp_path, database, store, erased, living)
    database.dispose()


def test_whoever_came_back_is_erased_and_the_next_time_there_is_nobody(restored: Restored) -> None:
    told = restored.replay()
    assert told == ("erased 1 subject of the database and what the object store alone had of 1 subject: 2 objects\n")
    with restored.database.connect() as connection:
        left = connection.execute(sa.select(schema.subjects.c.id).where(schema.subjects.c.erased_at.is_(None)))
        assert list(left.scalars()) == [restored.living]
    assert restored.store.list_sync("tenants") == [f"tenants/acme/subjects/{restored.living}/photos/a.png"]
    found = json.loads(restored.replay("--json"))
    log = (restored.folder / "log").as_uri()
    assert found == {"subjects": 0, "objects": 0, "folders": 0, "receipts": 0, "log": log, "log_is_in_store": False}
    assert restored.replay() == "nobody had come back\n"


def test_receipts_come_back_by_the_key_in_the_installations_file(restored: Restored) -> None:
    """The database may be from before the key was."""
    log = ErasureLog(ArtifactStore.open((restored.folder / "log").as_uri()))
    key_file = restored.folder / "home" / "receipt-key.pem"
    made = chain(ReceiptKey.open(restored.folder / "key.pem"), 2)
    for number, receipt in enumerate(made, start=1):
        log.write_receipt("acme", number, receipt)
    assert "receipt" not in restored.replay()
    assert not key_file.exists(), "none is made"
    key_file.parent.mkdir()
    (restored.folder / "key.pem").rename(key_file)
    assert restored.replay() == "2 receipts came back into the database\nnobody had come back\n"
    with restored.database.connect() as connection:
        rows = connection.execute(sa.select(schema.erasures.c.receipt).where(schema.erasures.c.number.is_not(None)))
        assert sorted(rows.scalars()) == sorted(receipt.decode() for receipt in made)
        assert len(connection.execute(sa.select(schema.erasure_keys)).all()) == 1, "and is served with them"


def test_a_key_that_has_signed_nothing_here_is_not_published(restored: Restored) -> None:
    """As that of another installation, from whose host the command is run."""
    (restored.folder / "home").mkdir()
    ReceiptKey.open(restored.folder / "home" / "receipt-key.pem")
    key = ReceiptKey.open(restored.folder / "key.pem")
    Issuer(key, backup_horizon_days=0).publish_key(restored.database)
    ErasureLog(ArtifactStore.open((restored.folder / "log").as_uri())).write_receipt("acme", 1, *chain(key, 1))
    assert "1 receipt came back" in restored.replay()
    with restored.database.connect() as connection:
        assert list(connection.execute(sa.select(schema.erasure_keys.c.id)).scalars()) == [key.id]


def test_a_store_that_cannot_be_read_is_told_and_fails(restored: Restored, capfd: pytest.CaptureFixture[str]) -> None:
    (restored.folder / "log" / "erased" / "subjects" / "link").symlink_to(restored.folder)
    assert restored.replay(code=1) == ""
    assert "OBJECT_STORE_UNAVAILABLE" in capfd.readouterr().err
    assert len(restored.store.list_sync("tenants")) == 3


@pytest.mark.parametrize("missing", ["db", "store", "log"])
def test_a_slip_in_a_url_makes_nothing_new(restored: Restored, missing: str) -> None:
    (restored.folder / missing).rename(restored.folder / "elsewhere")
    restored.replay(code=4)
    assert not (restored.folder / missing).exists()
