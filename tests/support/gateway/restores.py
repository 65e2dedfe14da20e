"""Signs receipts on a database alone, and puts a backup of it back."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import sqlalchemy as sa
from obstore.store import MemoryStore
from sqlalchemy.engine import Engine, Row

from headshots import keys, schema
from headshots.artifacts import ArtifactStore
from headshots.receipts.signing import ReceiptKey
from headshots.receipts.verifying import read_public_keys, verify
from services.gateway.erasures.entries import copy_receipts
from services.gateway.erasures.issuing import Issuer
from services.gateway.erasures.log import RECEIPTS, ErasureLog
from services.gateway.subjects.eraser import Eraser
from tests.support.gateway.erasing import NoGenerator
from tests.support.gateway.erasures import run, subject_with_photos


class Place:
    """A database and the store of its log, with people to erase."""

    def __init__(self, engine: Engine, key: ReceiptKey) -> None:
        self.engine, self.key = engine, key
        self.store = ArtifactStore(MemoryStore())
        self.log = ErasureLog(self.store)
        self.signer = Issuer(key, backup_horizon_days=7)
        self.signer.publish_key(engine)
        keys.create_tenant(engine, "acme")

    def sign(self, count: int = 1) -> None:
        """Erases people and copies no receipt."""
        for _ in range(count):
            run(self.engine, self.store, self.signer, subject_with_photos(self.engine, self.store))

    def erase(self, count: int = 1) -> None:
        self.sign(count)
        copy_receipts(self.engine, self.log)

    def eraser(self) -> Eraser:
        return Eraser(self.engine, self.store, NoGenerator(), self.signer, sweep_seconds=0.0)

    def rows(self) -> list[Row[Any]]:
        """Of erasures, by their numbers; those without one last."""
        with self.engine.connect() as connection:
            found = connection.execute(sa.select(schema.erasures)).all()
        return sorted(found, key=lambda row: row.number or 2**31)

    def numbers(self) -> list[int]:
        return [row.number for row in self.rows()]

    def head(self) -> tuple[int, str]:
        with self.engine.connect() as connection:
            (chain,) = connection.execute(sa.select(schema.erasure_chains)).all()
        return chain.head_number, chain.head_sha256

    def faults(self) -> list[str]:
        """What is wrong with the database's receipts."""
        receipts = {row.id: row.receipt.encode() for row in self.rows() if row.receipt}
        found = verify(receipts, read_public_keys(self.key.public_pem.encode()))
        return [*found.chain_faults, *(fault for each in found.receipts for fault in each.faults)]

    def copies(self) -> list[int]:
        """The number of each copy."""
        return [int(key.split("/")[3].split("-")[0]) for key in self.store.list_sync(RECEIPTS)]

    def leave(self, data: bytes, number: int = 1, digits: str = "") -> str:
        """Puts something in the place of a copy of `acme`; its key."""
        digits = digits or hashlib.sha256(data).hexdigest()[:12]
        key = f"{RECEIPTS}/acme/{number:010d}-{digits}.json"
        self.store.put_sync(key, data)
        return key


class Backup:
    """All rows of a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine, tables = engine, schema.metadata.sorted_tables
        with engine.connect() as connection:
            self._rows = {table: connection.execute(sa.select(table)).mappings().all() for table in tables}

    def restore(self) -> None:
        with self._engine.begin() as connection:
            for table in reversed(self._rows):
                connection.execute(sa.delete(table))
            for table, rows in self._rows.items():
                for row in rows:
                    connection.execute(sa.insert(table).values(**row))


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


TIMES = ("created_at", "erased_at", "signed_at", "backups_until")


def told(rows: list[Row[Any]]) -> list[dict[str, Any]]:
    """What rows say, without times."""
    return [{name: row._mapping[name] for name in row._mapping if name not in (*TIMES, "copied_at")} for row in rows]


def times(rows: list[Row[Any]]) -> list[float]:
    return [row._mapping[name] for row in rows for name in TIMES]
