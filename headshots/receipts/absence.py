"""Looks in a database and an object store for what receipts say is gone. Blocking.

A receipt does not tell whom it is of, so nobody can be looked for by name. What is found all the same, as after a
backup was put back: the commitment to an erased subject, which was in the database as long as the subject was; rows and
objects of subjects that the database does not know; receipts that the database has lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.artifacts import ArtifactStore
from headshots.database import read
from headshots.receipts.canonical import canonical
from headshots.schema import (
    commitments,
    consents,
    erasures,
    galleries,
    marks,
    photos,
    retentions,
    shoots,
    subjects,
    team_members,
    terms,
    trainings,
)

LOOKED_FOR = (
    "commitments to the erased subjects, rows and objects of subjects that are not there, and whether the database "
    "knows these receipts"
)
"""What `look` looks for, for people."""
# Those that the database itself does not keep from having rows of nobody.
_OF_SUBJECTS = (
    commitments.c.subject_id,
    consents.c.subject_id,
    galleries.c.subject_id,
    marks.c.subject_id,
    photos.c.subject_id,
    retentions.c.id,
    shoots.c.subject_id,
    team_members.c.subject_id,
    terms.c.subject_id,
    trainings.c.subject_id,
)


def look(engine: Engine, store: ArtifactStore, receipts: Sequence[dict[str, Any]]) -> list[str]:
    """What is there and must not be, a sentence each. The receipts are verified ones.

    Raises:
        UnavailableError: DATABASE_UNAVAILABLE, OBJECT_STORE_UNAVAILABLE.
    """
    # The store first: what is stored for a subject that is made meanwhile has a row by then.
    keys = {tenant: store.list_sync(f"tenants/{tenant}/subjects") for tenant in {each["tenant"] for each in receipts}}
    with read(engine) as connection:
        found = [fault for each in receipts for fault in _came_back(connection, each)]
        found += _rows_of_nobody(connection)
        known = set(connection.execute(sa.select(subjects.c.id)).scalars())
    return found + [fault for tenant in sorted(keys) for fault in _objects_of_nobody(tenant, keys[tenant], known)]


def _came_back(connection: Connection, receipt: dict[str, Any]) -> Iterator[str]:
    number = receipt["number"]
    if receipt["subject"] is not None:
        mine = commitments.c.commitment == receipt["subject"]
        for subject_id in connection.execute(sa.select(commitments.c.subject_id).where(mine)).scalars():
            yield f"the subject of receipt {number} is in the database again, as subjects/{subject_id}"
    mine = erasures.c.id == receipt["erasure"]
    known = connection.execute(sa.select(erasures.c.receipt_sha256).where(mine)).scalar()
    # Not by its number, which a restored database gives anew.
    if known != hashlib.sha256(canonical(receipt)).hexdigest():
        yield f"the database does not know receipt {number}, as one from before the erasure would not"


def _rows_of_nobody(connection: Connection) -> Iterator[str]:
    for column in _OF_SUBJECTS:
        orphans = sa.select(column).where(column.not_in(sa.select(subjects.c.id))).distinct()
        for subject_id in connection.execute(orphans).scalars():
            yield f"{column.table.name} has rows of subjects/{subject_id}, which is not there"


def _objects_of_nobody(tenant: str, keys: Sequence[str], known: set[str]) -> Iterator[str]:
    for subject_id in sorted({key.split("/")[3] for key in keys} - known):
        count = sum(key.split("/")[3] == subject_id for key in keys)
        yield f"the store has {count} objects of subjects/{subject_id} of tenant {tenant}, which is not there"
