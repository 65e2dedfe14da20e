"""Tests `headshots erasure`: receipts from a gateway in memory, verified offline, and looked for in a database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.engine import Engine
from typer.testing import CliRunner

from headshots import keys
from headshots.artifacts import ArtifactStore
from headshots.cli.app import app
from headshots.database import migrate, open_database
from headshots.receipts.signing import ReceiptKey
from headshots.schema import commitments, erasure_chains, erasures, subjects
from services.gateway.api.requests import IdempotencyKey
from services.gateway.erasures.issuing import Issuer
from services.gateway.erasures.log import ErasureLog
from services.gateway.marks.rows import record_mark
from services.gateway.subjects import erasure
from services.gateway.subjects.rows import create_subject
from tests.support.receipts import chain
from tests.support.terminal import Terminal, columns


def test_erasures_are_listed_and_their_receipts_saved(terminal: Terminal, tmp_path: Path) -> None:
    first, second = terminal.fake.erase(), terminal.fake.erase("cd" * 32, is_signed=False)
    lines = terminal.run("erasure", "list").stdout.splitlines()
    assert lines[1].split()[:3] == [second, "PENDING", "REQUEST"]
    assert lines[2].split()[:4] == [first, "1", "COMPLETE", "REQUEST"]
    assert [each["name"] for each in terminal.json("erasure", "list", "--limit", "1")] == [second]
    assert [each["name"] for each in terminal.json("erasure", "list", "--commitment", "ab" * 32)] == [first]
    receipt = terminal.fake.erasures[first].receipt
    assert terminal.run("erasure", "receipt", first).stdout == f"{receipt}\n"
    file, key = tmp_path / "receipt.json", tmp_path / "keys.pem"
    assert "receipt 1, COMPLETE" in terminal.run("erasure", "receipt", first, "--out", str(file)).stderr
    assert file.read_text() == receipt
    assert "1 key" in terminal.run("erasure", "keys", "-o", str(key)).stderr
    assert terminal.run("erasure", "keys").stdout == key.read_text() == terminal.fake.receipt_key.public_pem
    assert terminal.json("erasure", "keys")[0]["public_key_pem"] == key.read_text()
    assert "whole" in terminal.run("erasure", "verify", str(file), "--key", str(key)).stdout
    assert "RECEIPT_UNSIGNED" in terminal.run("erasure", "receipt", second, code=4).stderr
    assert terminal.json("erasure", "receipt", second)["receipt"] == ""
    assert "headshots erasure list" in terminal.run("erasure", "receipt", "none", code=4).stderr


def test_a_deletion_says_that_its_receipt_is_not_signed_yet_and_how_to_see_it(terminal: Terminal) -> None:
    for verb in ("delete", "withdraw"):
        terminal.run("subjects", "create", "Ada", "--consent", "Yes.")
        said = " ".join(terminal.run("subjects", verb, "s0", "--yes").stderr.split())
        assert said.startswith("subjects/s0 is erased, 0 objects removed its receipt, erasures/e0, is PENDING until")
        assert "`headshots erasure list` shows how far it is" in said


@pytest.fixture
def key(tmp_path: Path) -> ReceiptKey:
    """One whose public half lies in `key.pem`."""
    made = ReceiptKey(Ed25519PrivateKey.generate())
    (tmp_path / "key.pem").write_text(made.public_pem)
    return made


def saved(folder: Path, *receipts: bytes) -> list[str]:
    files = [folder / f"{number}.json" for number in range(1, len(receipts) + 1)]
    for file, data in zip(files, receipts, strict=True):
        file.write_bytes(data)
    return [str(file) for file in files]


def verify(folder: Path, files: list[str], *more: str, code: int = 0, **environment: str) -> Result:
    words = ["erasure", "verify", *files, "--key", str(folder / "key.pem"), *more]
    result = CliRunner().invoke(app, words, env=environment)
    assert result.exit_code == code, result.output
    return result


def test_receipts_are_verified_without_a_gateway(key: ReceiptKey, tmp_path: Path) -> None:
    files = saved(tmp_path, *chain(key, 4))
    assert verify(tmp_path, files[::-1]).stdout.splitlines()[-1] == f"{files[0]}: receipt 1, whole"
    assert "receipt 3 is missing" in verify(tmp_path, [*files[:2], files[3]], code=1).stdout
    told = json.loads(verify(tmp_path, files[::3], "--json", code=1).stdout)
    assert told["chain_faults"] == ["acme: receipts 2 to 3 are missing"]
    Path(files[1]).write_bytes(Path(files[1]).read_bytes().replace(b'"count":6', b'"count":7'))
    assert "was changed after it was signed" in verify(tmp_path, files, code=1).stdout
    other = ReceiptKey(Ed25519PrivateKey.generate())
    (tmp_path / "key.pem").write_text(other.public_pem)
    assert f"signed with key {key.id}, which is none of those given" in verify(tmp_path, files, code=1).stdout
    (tmp_path / "key.pem").write_text("no key")
    assert "RECEIPT_KEY_INVALID" in verify(tmp_path, files, code=4).output
    verify(tmp_path, [str(tmp_path / "nothing.json")], code=4)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'headshots.db'}")
    migrate(engine)
    keys.create_tenant(engine, "acme")
    yield engine
    engine.dispose()


def erased(engine: Engine, store: ArtifactStore, key: ReceiptKey, subject_id: str) -> bytes:
    """Erases a subject; its receipt."""
    erasure.mark_deleted(engine, "acme", subject_id)
    erasure.erase(engine, store, ErasureLog(store), "acme", subject_id)
    erasure.complete(engine, store, Issuer(key, backup_horizon_days=0), "acme", subject_id)
    with engine.connect() as connection:
        receipt = connection.execute(sa.select(erasures.c.receipt)).scalar_one()
    return str(receipt).encode()


def made(engine: Engine) -> str:
    return create_subject(engine, "acme", display_name="", class_noun="", key=IdempotencyKey()).id


def test_who_came_back_from_a_backup_is_found(database: Engine, key: ReceiptKey, tmp_path: Path) -> None:
    store = ArtifactStore.open((tmp_path / "objects").as_uri())
    subject, other = made(database), made(database)
    for each in (subject, other):
        store.put_sync(f"tenants/acme/subjects/{each}/photos/a.png", b"x")
    with database.connect() as connection:
        backup = [dict(row) for row in connection.execute(sa.select(commitments)).mappings()]
    files = saved(tmp_path, erased(database, store, key, subject))
    where = ("--store", (tmp_path / "objects").as_uri(), "--database", str(database.url))
    assert verify(tmp_path, files, *where).stdout.splitlines()[-1].endswith("nothing found")
    lines = verify(tmp_path, files, *where, **columns(80)).stdout.splitlines()
    assert [line for line in lines if len(line) > 80 and line.strip() != f"{files[0]}:"] == []
    assert f"{files[0]}: receipt 1, whole looked for commitments" in " ".join(" ".join(lines).split())
    store.put_sync(f"tenants/acme/subjects/{subject}/photos/a.png", b"x")
    told = json.loads(verify(tmp_path, files, *where, "--json", code=1).stdout)
    assert told["remains"] == [f"the store has 1 objects of subjects/{subject} of tenant acme, which is not there"]
    with database.begin() as connection:
        connection.execute(sa.insert(commitments), [row for row in backup if row["subject_id"] == subject])
        connection.execute(sa.delete(erasures))
    told = json.loads(verify(tmp_path, files, *where, "--json", code=1).stdout)
    assert f"the subject of receipt 1 is in the database again, as subjects/{subject}" in told["remains"]
    assert f"commitments has rows of subjects/{subject}, which is not there" in told["remains"]
    assert any("does not know receipt 1" in each for each in told["remains"])
    assert not any(other in each for each in told["remains"])
    with database.begin() as connection:
        row = {"id": subject, "tenant_id": "acme", "class_noun": "person", "created_at": 0.0}
        connection.execute(sa.insert(subjects).values(row))
    told = json.loads(verify(tmp_path, files, *where, "--json", code=1).stdout)
    assert [each for each in told["remains"] if "is in the database again" in each]


def test_a_receipt_whose_number_a_restored_database_gave_anew_is_not_known(
    database: Engine, key: ReceiptKey, tmp_path: Path
) -> None:
    store = ArtifactStore.open((tmp_path / "objects").as_uri())
    first = erased(database, store, key, made(database))
    with database.begin() as connection:
        name = connection.execute(sa.select(erasures.c.id)).scalar_one()
        connection.execute(sa.delete(erasures))
        connection.execute(sa.update(erasure_chains).values(head_number=0))
    second = erased(database, store, key, made(database))
    with database.begin() as connection:
        connection.execute(sa.update(erasures).values(id=name))
    where = ("--store", (tmp_path / "objects").as_uri(), "--database", str(database.url))
    assert json.loads(first)["number"] == json.loads(second)["number"] == 1
    told = json.loads(verify(tmp_path, saved(tmp_path, first), *where, "--json", code=1).stdout)
    assert told["remains"] == ["the database does not know receipt 1, as one from before the erasure would not"]


def test_what_a_mark_of_nobody_leads_to_is_found(database: Engine, key: ReceiptKey, tmp_path: Path) -> None:
    store = ArtifactStore.open((tmp_path / "objects").as_uri())
    files, there = saved(tmp_path, erased(database, store, key, made(database))), made(database)
    with database.begin() as connection:
        record_mark(connection, "ab" * 8, "acme", "gone", "tenants/acme/subjects/gone/images/a.png")
        record_mark(connection, "cd" * 8, "acme", there, f"tenants/acme/subjects/{there}/images/a.png")
    where = ("--store", (tmp_path / "objects").as_uri(), "--database", str(database.url))
    told = json.loads(verify(tmp_path, files, *where, "--json", code=1).stdout)
    assert told["remains"] == ["marks has rows of subjects/gone, which is not there"]
