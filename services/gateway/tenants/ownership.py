"""Checks that a subject is the tenant's that asks and its time has not come, and names its folder in the object store.

Blocking SQL.
"""

from __future__ import annotations

import functools
import re
import secrets
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.database import read
from headshots.errors import FailedPreconditionError, NotFoundError
from headshots.schema import subjects
from services.gateway.api.errors import not_found
from services.gateway.api.names import subject_name
from services.gateway.retention.checks import is_expired, subject_expired

SUBJECT_FOLDERS = "tenants/{tenant_id}/subjects"
"""The folder of a tenant's subjects in the object store."""

_OF_SUBJECT = re.compile(r"tenants/([^/]+)/subjects/([^/]+)/")


def object_prefix(tenant_id: str, subject_id: str) -> str:
    """The prefix of all objects of a subject in the object store."""
    return f"{SUBJECT_FOLDERS.format(tenant_id=tenant_id)}/{subject_id}"


def images_prefix(tenant_id: str, subject_id: str) -> str:
    """The prefix of the images that are painted of a subject."""
    return f"{object_prefix(tenant_id, subject_id)}/images"


def subject_prefix_of(tenant_id: str, key: str) -> str | None:
    """The prefix of the subject that an object belongs to; None where that is no subject of the tenant."""
    parts = key.split("/")
    if len(parts) < 5 or parts[:3] != ["tenants", tenant_id, "subjects"]:
        return None
    return object_prefix(tenant_id, parts[3])


def new_id() -> str:
    """A new random id of 16 hex digits."""
    return secrets.token_hex(8)


def find_subject(connection: Connection, tenant_id: str, subject_id: str, *, lock: bool = False) -> Row[Any]:
    """The subject's row; `lock` blocks every other writer of the subject until the transaction ends.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, also for a subject of another tenant and for one that is being erased.
        FailedPreconditionError: SUBJECT_EXPIRED.
    """
    return found_by(connection, _finding(connection.dialect.name, lock), tenant_id, subject_id)


def found_by(connection: Connection, query: sa.Select[Any], tenant_id: str, subject_id: str) -> Row[Any]:
    """The row of a query made with `of_caller`. Raises as `find_subject`."""
    row = connection.execute(query, {"subject_id": subject_id, "tenant_id": tenant_id}).first()
    if row is None:
        raise subject_not_found(subject_id)
    if row.is_expired:
        raise subject_expired(connection, subject_id)
    return row


def of_caller(query: sa.Select[Any], dialect: str) -> sa.Select[Any]:
    """A query of `subjects` that answers with the caller's alone, for `found_by`."""
    mine = sa.and_(subjects.c.id == sa.bindparam("subject_id"), subjects.c.tenant_id == sa.bindparam("tenant_id"))
    expired = is_expired(subjects.c.id, dialect).label("is_expired")
    return query.add_columns(expired).where(mine, sa.not_(subjects.c.deleting))


@functools.cache
def _finding(dialect: str, lock: bool) -> sa.Select[Any]:
    """What nearly every call begins with: to make the statement anew would take longer than to run it."""
    query = of_caller(sa.select(subjects), dialect)
    return query.with_for_update(of=subjects) if lock else query


def keep_subjects(connection: Connection, subject_ids: Sequence[str]) -> None:
    """Nobody deletes or locks these subjects until the transaction ends, as who inserts rows that name them needs it.

    Call it before the tenant or anything of the subjects is locked: who works on a subject locks that first, too.
    """
    wanted = sa.select(subjects.c.id).where(subjects.c.id.in_(subject_ids)).order_by(subjects.c.id)
    connection.execute(wanted.with_for_update(read=True, key_share=True)).all()


def lock_subject(connection: Connection, subject_id: str) -> None:
    """Blocks every other writer of the subject until the transaction ends, whether or not it is being erased."""
    connection.execute(sa.select(subjects.c.id).where(subjects.c.id == subject_id).with_for_update())


def subject_not_found(subject_id: str) -> NotFoundError:
    """The same error for a subject that never existed, is another tenant's, or is being erased."""
    return not_found("SUBJECT_NOT_FOUND", subject_name(subject_id), listed_by="ListSubjects")


def is_shown(engine: Engine, key: str) -> bool:
    """Whether an object may be handed out to whoever may read it: its subject is not being erased, nor past its time.

    `key`: its key in the object store; one of no subject is shown to nobody.
    """
    found = _OF_SUBJECT.match(key)
    if found is None:
        return False
    try:
        check_subject(engine, found[1], found[2])
    except (NotFoundError, FailedPreconditionError):
        return False
    return True


def check_subject(engine: Engine, tenant_id: str, subject_id: str) -> None:
    """Raises as `find_subject` where the tenant has no such subject."""
    with read(engine) as connection:
        find_subject(connection, tenant_id, subject_id)
