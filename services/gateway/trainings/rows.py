"""Finds, lists and cancels trainings for callers. Blocking SQL; `creating` makes them."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.database import database_now, now_expression, read, write
from headshots.schema import CANCELLED, SUCCEEDED, TERMINAL_STATES, trainings
from services.gateway.api.errors import not_found
from services.gateway.api.labels import Labelling
from services.gateway.api.names import subject_name, training_name
from services.gateway.api.pages import NewestFirst
from services.gateway.events.log import EventBatch
from services.gateway.events.poller import read_revisions
from services.gateway.peers.models import Adapter, TrainingRequest
from services.gateway.tenants.ownership import find_subject
from services.gateway.trainings.events import (
    events_after,
    lock_active,
    record_change,
    to_training,
)
from services.gateway.trainings.models import Training, adapter_expired, finished_adapter

ACTIVE = trainings.c.state.not_in(TERMINAL_STATES)


def _has_adapter(dialect: str) -> sa.ColumnElement[bool]:
    """Trainings whose adapter's time has not come, whether or not a sweep has removed it of others."""
    kept = sa.or_(trainings.c.adapter_expires_at.is_(None), trainings.c.adapter_expires_at > now_expression(dialect))
    return sa.and_(trainings.c.state == SUCCEEDED, kept)


def revisions(engine: Engine, ids: Sequence[str]) -> dict[str, int]:
    """The revisions of trainings of whichever tenants; those that are gone are left out."""
    return read_revisions(engine, trainings, ids)


def active_of_subject(connection: Connection, subject_id: str) -> str | None:
    """The id of a training of the subject that has not ended."""
    return connection.execute(sa.select(trainings.c.id).where(trainings.c.subject_id == subject_id, ACTIVE)).scalar()


def get_training(engine: Engine, tenant_id: str, subject_id: str, training_id: str) -> Training:
    """One training.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, TRAINING_NOT_FOUND.
    """
    with read(engine) as connection:
        return _find(connection, tenant_id, subject_id, training_id)


def _find(connection: Connection, tenant_id: str, subject_id: str, training_id: str) -> Training:
    find_subject(connection, tenant_id, subject_id)
    row = connection.execute(
        sa.select(trainings).where(trainings.c.id == training_id, trainings.c.subject_id == subject_id)
    ).first()
    if row is None:
        raise not_found("TRAINING_NOT_FOUND", training_name(subject_id, training_id), listed_by="ListTrainings")
    return to_training(row)


def load_training(connection: Connection, training_id: str) -> Training:
    """A training that is there, of whichever tenant."""
    return to_training(connection.execute(sa.select(trainings).where(trainings.c.id == training_id)).one())


def list_trainings(
    engine: Engine, tenant_id: str, subject_id: str, wanted: Labelling, size: int, token: str
) -> tuple[list[Training], str]:
    """A page of those that are labelled as wanted, newest first, and the next token.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND.
        InvalidArgumentError: PAGE_TOKEN_INVALID.
    """
    page = NewestFirst(trainings, sa.and_(trainings.c.subject_id == subject_id, wanted.where(trainings)), size, token)
    with read(engine) as connection:
        find_subject(connection, tenant_id, subject_id)
        rows, next_token = page.read(connection)
    return [to_training(row) for row in rows], next_token


def request_cancel(engine: Engine, tenant_id: str, subject_id: str, training_id: str) -> Training:
    """Records that the training is to be cancelled; one that was never sent to a trainer ends at once.

    A training that has ended stays as it is.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, TRAINING_NOT_FOUND.
    """
    with write(engine) as connection:
        find_subject(connection, tenant_id, subject_id, lock=True)
        _find(connection, tenant_id, subject_id, training_id)
        request_cancel_in(connection, training_id)
        return _find(connection, tenant_id, subject_id, training_id)


def request_cancel_in(connection: Connection, training_id: str) -> None:
    """:func:`request_cancel` within a transaction that has locked the subject."""
    training = lock_active(connection, training_id)
    if training is not None and not training.cancel_requested:
        job = None if training.sent else dataclasses.replace(training.job, state=CANCELLED)
        requested_at = database_now(connection)
        record_change(connection, training, job=job, cancel_requested=True, cancel_requested_at=requested_at)


def request_cancel_of_subject(connection: Connection, subject_id: str) -> None:
    """The same for all trainings of the subject."""
    mine = sa.and_(trainings.c.subject_id == subject_id, ACTIVE)
    for training_id in connection.execute(sa.select(trainings.c.id).where(mine)).scalars().all():
        request_cancel_in(connection, training_id)


def read_events(
    engine: Engine, tenant_id: str, subject_id: str, training_id: str, after: int | None
) -> EventBatch[Training]:
    """The events after number `after`, see `events.events_after`.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, TRAINING_NOT_FOUND.
        InvalidArgumentError: AFTER_EVENT_UNKNOWN.
    """
    with read(engine) as connection:
        return events_after(connection, _find(connection, tenant_id, subject_id, training_id), after)


def newest_adapter(connection: Connection, subject_id: str) -> Adapter | None:
    """The adapter of the subject's newest successful training."""
    query = _newest(connection.dialect.name)
    return adapter_of_job(connection.execute(query, {"subject_id": subject_id}).scalar())


@functools.cache
def _newest(dialect: str) -> sa.Select[Any]:
    return sa.select(newest_job(sa.bindparam("subject_id", type_=sa.String), dialect))


def newest_job(subject_id: sa.ColumnElement[str], dialect: str) -> sa.ScalarSelect[Any]:
    """The job of a subject's newest training with an adapter, for rows with this column; see `adapter_of_job`."""
    found = sa.select(trainings.c.job).where(trainings.c.subject_id == subject_id, _has_adapter(dialect))
    return found.order_by(trainings.c.ended_at.desc(), trainings.c.id.desc()).limit(1).scalar_subquery()


def adapter_of_job(job: Any) -> Adapter | None:
    """What `newest_job` found."""
    return None if job is None else Adapter(**job["adapter"])


def adapter_of_training(connection: Connection, subject_id: str, owner_id: str, training_id: str) -> Adapter:
    """The adapter of a training of the subject; `owner_id` is the subject in the name that the caller gave.

    Raises:
        NotFoundError: TRAINING_NOT_FOUND, also for a training of another subject.
        FailedPreconditionError: TRAINING_UNFINISHED, TRAINING_EXPIRED.
    """
    mine = sa.and_(trainings.c.id == training_id, trainings.c.subject_id == subject_id)
    row = connection.execute(sa.select(trainings).where(mine)).first() if owner_id == subject_id else None
    if row is None:
        raise not_found("TRAINING_NOT_FOUND", training_name(owner_id, training_id), listed_by="ListTrainings")
    adapter = finished_adapter(to_training(row))
    _check_kept(connection, subject_id, training_id)
    return adapter


def get_downloadable(engine: Engine, tenant_id: str, subject_id: str, training_id: str) -> Training:
    """A training whose files are there.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, TRAINING_NOT_FOUND.
        FailedPreconditionError: TRAINING_UNFINISHED, TRAINING_EXPIRED.
    """
    with read(engine) as connection:
        training = _find(connection, tenant_id, subject_id, training_id)
        finished_adapter(training)
        _check_kept(connection, subject_id, training_id)
        return training


def _check_kept(connection: Connection, subject_id: str, training_id: str) -> None:
    kept = sa.and_(trainings.c.id == training_id, _has_adapter(connection.dialect.name))
    if connection.execute(sa.select(trainings.c.id).where(kept)).first() is None:
        raise adapter_expired(training_name(subject_id, training_id))


def check_adapter_kept(connection: Connection, subject_id: str, sha256: str) -> None:
    """Returns where the time of this adapter of the subject has not come.

    Raises:
        FailedPreconditionError: TRAINING_EXPIRED.
    """
    if sha256 not in _adapters(connection, subject_id, _has_adapter(connection.dialect.name)):
        raise adapter_expired(subject_name(subject_id))


def had_adapter(connection: Connection, subject_id: str) -> bool:
    """Whether a training of the subject has ever succeeded."""
    mine = sa.and_(trainings.c.subject_id == subject_id, trainings.c.state == SUCCEEDED)
    return connection.execute(sa.select(trainings.c.id).where(mine)).first() is not None


def _adapters(connection: Connection, subject_id: str, which: sa.ColumnElement[bool]) -> list[str]:
    """SHA-256 of the adapters of such trainings of the subject that are not removed."""
    jobs = connection.execute(sa.select(trainings.c.job).where(trainings.c.subject_id == subject_id, which)).scalars()
    return [job["adapter"]["sha256"] for job in jobs if job["adapter"] is not None]


def adapter_digests(connection: Connection, subject_id: str) -> list[str]:
    """SHA-256 of every adapter that a training of the subject has made and that is not removed."""
    return _adapters(connection, subject_id, trainings.c.state == SUCCEEDED)


def unfinished_of_subject(connection: Connection, subject_id: str) -> str | None:
    """The id of a training that a trainer may still write for: it is active, or no trainer knows yet of its end."""
    unfinished = sa.and_(trainings.c.subject_id == subject_id, sa.or_(ACTIVE, trainings.c.owes_cancel))
    return connection.execute(sa.select(trainings.c.id).where(unfinished)).scalar()


def learns_from(connection: Connection, subject_id: str, photo_key: str) -> str | None:
    """The name of a training that a trainer may still run and that learns from this photo."""
    unfinished = sa.and_(trainings.c.subject_id == subject_id, sa.or_(ACTIVE, trainings.c.owes_cancel))
    for row in connection.execute(sa.select(trainings).where(unfinished)):
        if photo_key in (key for key, _ in to_training(row).request.photos):
            return training_name(subject_id, row.id)
    return None


def photos_of(connection: Connection, training_ids: Sequence[str]) -> dict[str, set[str]]:
    """The keys of the photos that each of the trainings learned from."""
    rows = connection.execute(sa.select(trainings.c.id, trainings.c.request).where(trainings.c.id.in_(training_ids)))
    return {row.id: {key for key, _ in TrainingRequest.from_json(row.request).photos} for row in rows}


def newest_of_foundation(connection: Connection, subject_id: str, foundation_digest: str) -> Training | None:
    """The subject's newest successful training of a foundation."""
    query = (
        sa.select(trainings)
        .where(trainings.c.subject_id == subject_id, _has_adapter(connection.dialect.name))
        .order_by(trainings.c.ended_at.desc(), trainings.c.id.desc())
    )
    made = (to_training(row) for row in connection.execute(query))
    return next((each for each in made if finished_adapter(each).foundation_digest == foundation_digest), None)
