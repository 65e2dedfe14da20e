"""Erases subjects on a database alone, and reads the receipts."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import keys, schema
from headshots.artifacts import ArtifactStore
from headshots.database import write
from services.gateway.api.requests import IdempotencyKey
from services.gateway.erasures.commitments import commit
from services.gateway.erasures.issuing import Issuer
from services.gateway.erasures.log import ErasureLog
from services.gateway.erasures.models import StoreClass
from services.gateway.subjects import erasure
from services.gateway.subjects.rows import create_subject

PHOTOS = 3
"""Those of a subject."""


def subject_with_photos(engine: Engine, store: ArtifactStore) -> str:
    """A subject with photos, and a stray object of five bytes."""
    keys.create_tenant(engine, "acme")
    subject = create_subject(engine, "acme", display_name="", class_noun="", key=IdempotencyKey()).id
    prefix = f"tenants/acme/subjects/{subject}"
    with write(engine) as connection:
        for number in range(PHOTOS):
            data, key = bytes([number]) * 10, f"{prefix}/photos/{number}.png"
            store.put_sync(key, data)
            commit(connection, subject, StoreClass.PHOTOS, key, hashlib.sha256(data).hexdigest(), len(data))
    store.put_sync(f"{prefix}/adapters/checkpoint", b"stray")
    return subject


def run(engine: Engine, store: ArtifactStore, signer: Issuer, subject: str) -> None:
    """A whole erasure, as one that was interrupted is repeated."""
    # Read once: another gateway of a test may be about to remove it.
    if (row := row_of(engine, subject)) is None:
        return
    if row.erased_at is None:
        erasure.mark_deleted(engine, "acme", subject)
        erasure.erase(engine, store, ErasureLog(store), "acme", subject)
    erasure.complete(engine, store, signer, "acme", subject)


def row_of(engine: Engine, subject: str) -> Any:
    """The subject's row; None where it is gone."""
    with engine.connect() as connection:
        return connection.execute(sa.select(schema.subjects).where(schema.subjects.c.id == subject)).first()


def receipts(engine: Engine) -> list[dict[str, Any]]:
    """Those that are signed, in their order."""
    with engine.connect() as connection:
        signed = schema.erasures.c.receipt.is_not(None)
        query = sa.select(schema.erasures.c.receipt).where(signed).order_by(schema.erasures.c.number)
        return [json.loads(each) for each in connection.execute(query).scalars()]


def assert_counted_once(receipt: dict[str, Any], strays: int = 1) -> None:
    """That a receipt tells of all photos, and of so many objects that nothing committed to."""
    (photos,) = receipt["classes"]
    assert (photos["class"], photos["count"], photos["bytes"]) == ("photos", PHOTOS, PHOTOS * 10)
    assert sum(each["count"] for each in receipt["uncommitted"]) == strays
    assert receipt["exceptions"] == []
