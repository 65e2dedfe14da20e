"""Creates, finds, changes and lists subjects. Blocking SQL; `erasure` removes them."""

from __future__ import annotations

import functools
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.database import database_now, forget_deleted, look, now_expression, read, write
from headshots.schema import retentions, subjects
from services.gateway.api.labels import NO_LABELS, Labelling
from services.gateway.api.pages import NewestFirst, cut_page, decode_token
from services.gateway.api.requests import IdempotencyKey, find_made
from services.gateway.audit.models import Action
from services.gateway.audit.recording import record
from services.gateway.consents import rows as consent_rows
from services.gateway.consents.models import Consent
from services.gateway.erasures import commitments
from services.gateway.photos import rows as photo_rows
from services.gateway.retention import rows as retention_rows
from services.gateway.retention.checks import check_unexpired, is_expired
from services.gateway.retention.models import NO_TERMS, OwnTerms
from services.gateway.subjects.models import Subject, SubjectChange
from services.gateway.tenants.ownership import find_subject, found_by, new_id, of_caller
from services.gateway.tenants.rows import lock_tenant
from services.gateway.trainings import rows as training_rows

DEFAULT_CLASS_NOUN = "person"


def create_subject(
    engine: Engine,
    tenant_id: str,
    *,
    display_name: str,
    class_noun: str,
    key: IdempotencyKey,
    labelling: Labelling = NO_LABELS,
    consent: Consent | None = None,
    own_terms: OwnTerms = NO_TERMS,
) -> Subject:
    """Creates a subject; a repeated `key` returns the subject that it created before.

    Raises:
        AlreadyExistsError: REQUEST_ID_REUSED.
        InvalidArgumentError: CONSENT_INVALID, RETENTION_INVALID.
        FailedPreconditionError: SUBJECT_EXPIRED, the one that was created before.
    """
    with write(engine) as connection:
        if key.request_id:
            lock_tenant(connection, tenant_id)
        made = find_made(connection, subjects, subjects.c.tenant_id == tenant_id, key)
        if made is not None:
            check_unexpired(connection, made.id)
            return _to_subjects(connection, [made])[0]
        values = {"display_name": display_name, "class_noun": class_noun or DEFAULT_CLASS_NOUN}
        subject_id = _insert(connection, tenant_id, **values, **labelling.fields, **key.columns)
        retention_rows.begin(connection, tenant_id, subject_id, own_terms)
        record(connection, tenant_id, subject_id, Action.SUBJECT_CREATED)
        commitments.commit_subject(connection, subject_id)
        if consent is not None:
            consent_rows.record(connection, subject_id, consent)
            record(connection, tenant_id, subject_id, Action.CONSENT_GIVEN)
        return _to_subjects(connection, [find_subject(connection, tenant_id, subject_id)])[0]


def _insert(connection: Connection, tenant_id: str, **columns: Any) -> str:
    """The id of a new row."""
    subject_id = new_id()
    values = {"id": subject_id, "tenant_id": tenant_id, "created_at": database_now(connection), **columns}
    connection.execute(sa.insert(subjects).values(**values))
    return subject_id


def get_subject(engine: Engine, tenant_id: str, subject_id: str) -> Subject:
    """One subject. Raises as `find_subject`."""
    with look(engine) as connection:
        return _to_subject(found_by(connection, _telling_callers(engine.dialect.name), tenant_id, subject_id))


def tenant_of(connection: Connection, subject_id: str) -> str:
    """Whose a locked subject is, also one that is being erased."""
    return str(connection.execute(sa.select(subjects.c.tenant_id).where(subjects.c.id == subject_id)).scalar_one())


def change_subject(engine: Engine, tenant_id: str, subject_id: str, change: SubjectChange) -> Subject:
    """Changes what is not None. Raises as `find_subject`."""
    with write(engine) as connection:
        find_subject(connection, tenant_id, subject_id, lock=True)
        if change.columns:
            mine = subjects.c.id == subject_id
            # What was asked when it was made tells the earlier name and labels.
            connection.execute(sa.update(subjects).where(mine).values(**change.columns, request_parameters=None))
        changed = _to_subjects(connection, [find_subject(connection, tenant_id, subject_id)])[0]
    if change.columns:
        forget_deleted(engine)
    return changed


def give_consent(engine: Engine, tenant_id: str, subject_id: str, consent: Consent) -> Subject:
    """Records what the person agreed to, in place of an earlier consent; the subject.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND.
        InvalidArgumentError: CONSENT_INVALID.
    """
    with write(engine) as connection:
        row = find_subject(connection, tenant_id, subject_id, lock=True)
        consent_rows.record(connection, subject_id, consent)
        record(connection, tenant_id, subject_id, Action.CONSENT_GIVEN)
        # What was asked when it was made tells the earlier consent.
        mine = subjects.c.id == subject_id
        connection.execute(sa.update(subjects).where(mine).values(request_parameters=None))
        given = _to_subjects(connection, [row])[0]
    forget_deleted(engine)
    return given


def extend_retention(engine: Engine, tenant_id: str, subject_id: str, until: float) -> Subject:
    """Keeps a subject until this time, seconds since the epoch; the subject.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND.
        FailedPreconditionError: SUBJECT_EXPIRED.
        InvalidArgumentError: RETENTION_INVALID.
    """
    with write(engine) as connection:
        row = find_subject(connection, tenant_id, subject_id, lock=True)
        retention_rows.extend(connection, subject_id, until)
        record(connection, tenant_id, subject_id, Action.RETENTION_EXTENDED)
        return _to_subjects(connection, [row])[0]


def hold_subject(engine: Engine, tenant_id: str, subject_id: str, reason: str) -> Subject:
    """Suspends a subject's time, for this reason in place of an earlier one; the subject. Raises as `find_subject`."""
    with write(engine) as connection:
        row = find_subject(connection, tenant_id, subject_id, lock=True)
        retention_rows.hold(connection, subject_id, reason)
        record(connection, tenant_id, subject_id, Action.SUBJECT_HELD)
        held = _to_subjects(connection, [row])[0]
    # An earlier reason may tell of the person, too.
    forget_deleted(engine)
    return held


def release_subject(engine: Engine, tenant_id: str, subject_id: str) -> Subject:
    """Lets a subject's time count again; the subject, which may have expired by that. Raises as `find_subject`."""
    with write(engine) as connection:
        row = find_subject(connection, tenant_id, subject_id, lock=True)
        retention_rows.release(connection, subject_id)
        record(connection, tenant_id, subject_id, Action.SUBJECT_RELEASED)
        released = _to_subjects(connection, [row])[0]
    # The reason may tell of the person.
    forget_deleted(engine)
    return released


def list_subjects(
    engine: Engine, tenant_id: str, wanted: Labelling, size: int, token: str
) -> tuple[list[Subject], str]:
    """A page of those that are labelled as wanted and have not expired, newest first, and the next token.

    Raises:
        InvalidArgumentError: PAGE_TOKEN_INVALID.
    """
    kept = sa.not_(is_expired(subjects.c.id, engine.dialect.name))
    where = sa.and_(subjects.c.tenant_id == tenant_id, sa.not_(subjects.c.deleting), kept, wanted.where(subjects))
    page = NewestFirst(subjects, where, size, token)
    with read(engine) as connection:
        rows, next_token = page.read(connection)
        return _to_subjects(connection, rows), next_token


def list_ending(
    engine: Engine, tenant_id: str, wanted: Labelling, before: float, size: int, token: str
) -> tuple[list[Subject], str]:
    """A page of those whose time comes before this one, seconds since the epoch, the first to end first.

    Held ones are left out, as they do not end. Raises as `list_subjects`.
    """
    place = sa.tuple_(retentions.c.expires_at, retentions.c.id)
    now = sa.select(now_expression(engine.dialect.name)).scalar_subquery()
    query = (
        sa.select(subjects, retentions.c.expires_at)
        .join(retentions, retentions.c.id == subjects.c.id)
        .where(retentions.c.tenant_id == tenant_id, retentions.c.held_at.is_(None))
        .where(retentions.c.expires_at > now, retentions.c.expires_at < before)
        .where(sa.not_(subjects.c.deleting), wanted.where(subjects))
        .order_by(retentions.c.expires_at, retentions.c.id)
        .limit(size + 1)
    )
    if position := decode_token(token, (str, float, str)):
        query = query.where(place > position[1:])
    with read(engine) as connection:
        found, next_token = cut_page(connection.execute(query).all(), size, lambda row: ("end", row.expires_at, row.id))
        return _to_subjects(connection, found), next_token


def _to_subjects(connection: Connection, rows: list[Row[Any]]) -> list[Subject]:
    """The same subjects in the same order, as they are now."""
    asked = {"subject_ids": [row.id for row in rows]}
    told = {row.id: _to_subject(row) for row in connection.execute(_telling_several(connection.dialect.name), asked)}
    return [told[row.id] for row in rows]


@functools.cache
def _telling(dialect: str) -> sa.Select[Any]:
    """All that a subject tells, in one statement: to ask each part by itself takes five times as long."""
    mine = subjects.c.id
    parts = (
        photo_rows.number_of(mine, dialect).label("photo_count"),
        training_rows.newest_job(mine, dialect).label("newest_job"),
        commitments.of_subject(mine).label("erasure_commitment"),
    )
    joined = consent_rows.beside(subjects.outerjoin(retentions, retentions.c.id == mine), mine)
    return sa.select(subjects, *parts, *retention_rows.COLUMNS, *consent_rows.COLUMNS).select_from(joined)


@functools.cache
def _telling_several(dialect: str) -> sa.Select[Any]:
    return _telling(dialect).where(subjects.c.id.in_(sa.bindparam("subject_ids", expanding=True)))


@functools.cache
def _telling_callers(dialect: str) -> sa.Select[Any]:
    return of_caller(_telling(dialect), dialect)


def _to_subject(row: Row[Any]) -> Subject:
    return Subject(
        row.id,
        row.display_name,
        row.class_noun,
        row.created_at,
        row.photo_count,
        training_rows.adapter_of_job(row.newest_job),
        retention_rows.of_row(row),
        Labelling.of_row(row),
        consent_rows.of_row(row),
        row.erasure_commitment or "",
    )
