"""Commits to what is stored, in the transaction that records it. Blocking SQL.

Images are recorded under the locks of their gallery, and two galleries may record the same picture at once: so a
commitment is the last that a transaction writes, and nobody who waits for one is waited for.
"""

from __future__ import annotations

import functools
import hashlib
import secrets
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine

from headshots.database import now_expression, read
from headshots.receipts.merkle import SALT_BYTES, commitment
from headshots.schema import commitments
from services.gateway.api.pages import cut_page, decode_token
from services.gateway.erasures.models import Commitment, StoreClass
from services.gateway.tenants.ownership import find_subject


def commit(
    connection: Connection, subject_id: str, store_class: StoreClass, key: str, sha256: str, size_bytes: int
) -> None:
    """Commits to the object under `key`; `sha256`: of its bytes, in hex. What is committed to already stays so."""
    salt = secrets.token_bytes(SALT_BYTES)
    values = {
        "subject_id": subject_id,
        "object_key": key,
        "store_class": store_class.value,
        "salt": salt.hex(),
        "object_sha256": sha256,
        "size_bytes": size_bytes,
        "commitment": commitment(store_class.value, salt, sha256),
    }
    connection.execute(_inserting(connection.dialect.name), values)


@functools.cache
def _inserting(dialect: str) -> sa.Insert:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(commitments).values(created_at=now_expression(dialect)).on_conflict_do_nothing()


def commit_subject(connection: Connection, subject_id: str) -> None:
    """Commits to a new subject, by its id."""
    commit(connection, subject_id, StoreClass.SUBJECT, "", hashlib.sha256(subject_id.encode()).hexdigest(), 0)


def forget(connection: Connection, subject_id: str, keys: Collection[str]) -> None:
    """Removes the commitments to objects that are deleted alone, and their salts with them."""
    mine = commitments.c.subject_id == subject_id
    connection.execute(sa.delete(commitments).where(mine, commitments.c.object_key.in_(keys)))


def of_subject(subject_id: sa.ColumnElement[str]) -> sa.ScalarSelect[str]:
    """The commitment to the subject itself, for rows with this column; null where there is none."""
    mine = sa.and_(commitments.c.subject_id == subject_id, commitments.c.object_key == "")
    return sa.select(commitments.c.commitment).where(mine).scalar_subquery()


def list_commitments(
    engine: Engine, tenant_id: str, subject_id: str, size: int, token: str
) -> tuple[list[Commitment], str]:
    """A page of a subject's, in the order of their bytes, and the next token.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND.
        FailedPreconditionError: SUBJECT_EXPIRED.
        InvalidArgumentError: PAGE_TOKEN_INVALID.
    """
    query = sa.select(commitments).where(commitments.c.subject_id == subject_id)
    if position := decode_token(token, (str,)):
        query = query.where(commitments.c.commitment > position[0])
    with read(engine) as connection:
        find_subject(connection, tenant_id, subject_id)
        rows = connection.execute(query.order_by(commitments.c.commitment).limit(size + 1)).all()
    page, next_token = cut_page(rows, size, lambda row: (row.commitment,))
    return [
        Commitment(row.store_class, row.commitment, row.size_bytes, row.object_sha256, row.created_at) for row in page
    ], next_token


def delete_of_subject(connection: Connection, subject_id: str) -> None:
    """Removes the rows of an erased subject, and their salts with them."""
    connection.execute(sa.delete(commitments).where(commitments.c.subject_id == subject_id))
