"""Checks that a subject belongs to the tenant that asks, and says where its objects lie. Every room begins here."""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.database import read
from headshots.errors import NotFoundError
from headshots.schema import subjects


def object_prefix(tenant_id: str, subject_id: str) -> str:
    """Where everything of a subject lies in the object store."""
    return f"tenants/{tenant_id}/subjects/{subject_id}"


def new_id() -> str:
    """16 hex digits that nobody can guess."""
    return secrets.token_hex(8)


def find_subject(connection: Connection, tenant_id: str, subject_id: str, *, lock: bool = False) -> Row[Any]:
    """The subject's row; `lock` holds off every other writer of the subject until the transaction ends.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, also for another tenant's and for one that is being erased.
    """
    query = sa.select(subjects).where(
        subjects.c.id == subject_id, subjects.c.tenant_id == tenant_id, sa.not_(subjects.c.deleting)
    )
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise subject_not_found(subject_id)
    return row


def subject_not_found(subject_id: str) -> NotFoundError:
    """Also for what is another tenant's, or on its way out."""
    name = f"subjects/{subject_id}"
    message = f"there is no {name}; ListSubjects shows those there are"
    return NotFoundError("SUBJECT_NOT_FOUND", message, metadata={"name": name})


def check_subject(engine: Engine, tenant_id: str, subject_id: str) -> None:
    """Raises as `find_subject`."""
    with read(engine) as connection:
        find_subject(connection, tenant_id, subject_id)
