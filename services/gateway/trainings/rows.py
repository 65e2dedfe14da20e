"""Makes, finds and cancels trainings for callers. Blocking SQL.

A row is written before any trainer hears of it, so a crash at any point loses nothing: `Reconciler` finds the row and
goes on, see `training_mirror`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.database import database_now, read, write
from headshots.errors import FailedPreconditionError, NotFoundError
from headshots.schema import CANCELLED, PENDING, SUCCEEDED, TERMINAL_STATES, training_jobs, trainings
from services.gateway.api.pages import cut_page, decode_token
from services.gateway.peers.models import Adapter, TrainingJob, TrainingOptions, TrainingRequest
from services.gateway.photos.rows import photo_refs
from services.gateway.photos.rules import MIN_TRAINING_PHOTOS
from services.gateway.tenants.ownership import find_subject, new_id, object_prefix
from services.gateway.trainings.events import News, change, forget_of_subject, lock, record_first, since, to_training
from services.gateway.trainings.models import Training

ACTIVE = trainings.c.state.not_in(TERMINAL_STATES)


def create_training(
    engine: Engine,
    tenant_id: str,
    subject_id: str,
    *,
    options: TrainingOptions,
    priority: int,
    request_id: str,
    validate_only: bool,
    photos: Sequence[str] = (),
) -> Training:
    """Queues a training on the photos with these names, else on all that the subject has now; the same `request_id`
    answers the one it made before.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, PHOTO_NOT_FOUND.
        FailedPreconditionError: TOO_FEW_PHOTOS, TRAINING_ACTIVE.
    """
    with write(engine) as connection:
        subject = find_subject(connection, tenant_id, subject_id, lock=True)
        if request_id and (made := _by_request_id(connection, subject_id, request_id)) is not None:
            return made
        refs = photo_refs(connection, subject_id, photos)
        _check_may_train(connection, subject_id, len(refs))
        training_id = new_id()
        prefix = f"{object_prefix(tenant_id, subject_id)}/adapters/{training_id}"
        training = Training(
            id=training_id,
            subject_id=subject_id,
            request=TrainingRequest(training_id, tenant_id, refs, prefix, subject.class_noun, options, priority),
            job=TrainingJob(state=PENDING),
            created_at=database_now(connection),
            revision=1,
        )
        if not validate_only:
            _insert(connection, tenant_id, request_id, training)
        return training


def _check_may_train(connection: Connection, subject_id: str, photo_count: int) -> None:
    if photo_count < MIN_TRAINING_PHOTOS:
        raise FailedPreconditionError(
            "TOO_FEW_PHOTOS",
            f"a training needs at least {MIN_TRAINING_PHOTOS} photos, this one has {photo_count}; upload or name more",
        )
    active = active_of_subject(connection, subject_id)
    if active is not None:
        name = f"subjects/{subject_id}/trainings/{active}"
        raise FailedPreconditionError(
            "TRAINING_ACTIVE", f"{name} has not ended; wait for it or cancel it", metadata={"name": name}
        )


def active_of_subject(connection: Connection, subject_id: str) -> str | None:
    """The id of a training of the subject that has not ended."""
    return connection.execute(sa.select(trainings.c.id).where(trainings.c.subject_id == subject_id, ACTIVE)).scalar()


def _by_request_id(connection: Connection, subject_id: str, request_id: str) -> Training | None:
    row = connection.execute(
        sa.select(trainings).where(trainings.c.subject_id == subject_id, trainings.c.request_id == request_id)
    ).first()
    return to_training(row) if row is not None else None


def _insert(connection: Connection, tenant_id: str, request_id: str, training: Training) -> None:
    connection.execute(
        sa.insert(trainings).values(
            id=training.id,
            subject_id=training.subject_id,
            tenant_id=tenant_id,
            request_id=request_id or None,
            state=training.job.state,
            request=training.request.to_json(),
            job=training.job.to_json(),
            created_at=training.created_at,
            revision=training.revision,
        )
    )
    record_first(connection, training)


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
        name = f"subjects/{subject_id}/trainings/{training_id}"
        message = f"there is no {name}; ListTrainings shows those there are"
        raise NotFoundError("TRAINING_NOT_FOUND", message, metadata={"name": name})
    return to_training(row)


def list_trainings(
    engine: Engine, tenant_id: str, subject_id: str, size: int, token: str
) -> tuple[list[Training], str]:
    """A page, newest first, and the next token.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND.
        InvalidArgumentError: PAGE_TOKEN_INVALID.
    """
    query = (
        sa.select(trainings)
        .where(trainings.c.subject_id == subject_id)
        .order_by(trainings.c.created_at.desc(), trainings.c.id.desc())
        .limit(size + 1)
    )
    if position := decode_token(token, (float, str)):
        query = query.where(sa.tuple_(trainings.c.created_at, trainings.c.id) < position)
    with read(engine) as connection:
        find_subject(connection, tenant_id, subject_id)
        rows, next_token = cut_page(connection.execute(query).all(), size, lambda row: (row.created_at, row.id))
    return [to_training(row) for row in rows], next_token


def request_cancel(engine: Engine, tenant_id: str, subject_id: str, training_id: str) -> Training:
    """Records the wish. A training that no trainer has heard of ends here; a terminal one stays as it is.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, TRAINING_NOT_FOUND.
    """
    with write(engine) as connection:
        find_subject(connection, tenant_id, subject_id, lock=True)
        _find(connection, tenant_id, subject_id, training_id)
        training = lock(connection, training_id)
        if training is not None and not training.cancel_requested:
            job = None if training.sent else dataclasses.replace(training.job, state=CANCELLED)
            asked_at = database_now(connection)
            change(connection, training, job=job, cancel_requested=True, cancel_requested_at=asked_at)
        return _find(connection, tenant_id, subject_id, training_id)


def training_news(engine: Engine, tenant_id: str, subject_id: str, training_id: str, after: int | None) -> News:
    """What a watch has to tell, see `training_events.since`.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, TRAINING_NOT_FOUND.
        InvalidArgumentError: AFTER_EVENT_UNKNOWN.
    """
    with read(engine) as connection:
        return since(connection, _find(connection, tenant_id, subject_id, training_id), after)


def newest_adapters(connection: Connection, subject_ids: Sequence[str]) -> dict[str, Adapter]:
    """By subject: the adapter of the newest successful training."""
    rows = connection.execute(
        sa.select(trainings.c.subject_id, trainings.c.job)
        .where(trainings.c.subject_id.in_(subject_ids), trainings.c.state == SUCCEEDED)
        .order_by(trainings.c.ended_at, trainings.c.id)
    )
    return {row.subject_id: Adapter(**row.job["adapter"]) for row in rows}


def adapter_digests(connection: Connection, subject_id: str) -> list[str]:
    """SHA-256 of every adapter that a training of the subject has made."""
    jobs = connection.execute(
        sa.select(trainings.c.job).where(trainings.c.subject_id == subject_id, trainings.c.state == SUCCEEDED)
    ).scalars()
    return [job["adapter"]["sha256"] for job in jobs]


def unsettled_of_subject(connection: Connection, subject_id: str) -> str | None:
    """The id of a training that has not ended, or that a trainer may still write for as it has not heard of the end."""
    unsettled = sa.or_(ACTIVE, trainings.c.owes_cancel)
    return connection.execute(sa.select(trainings.c.id).where(trainings.c.subject_id == subject_id, unsettled)).scalar()


def delete_of_subject(connection: Connection, subject_id: str) -> None:
    """Removes the rows of an erased subject.

    A job has its training's id. The trainer's row names photos and adapter by key, so it goes too, in the same
    transaction and whether or not a trainer is there: see docs/decisions/0004.
    """
    of_subject = sa.select(trainings.c.id).where(trainings.c.subject_id == subject_id)
    connection.execute(sa.delete(training_jobs).where(training_jobs.c.id.in_(of_subject)))
    forget_of_subject(connection, subject_id)
    connection.execute(sa.delete(trainings).where(trainings.c.subject_id == subject_id))
