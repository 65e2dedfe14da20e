"""Checks whether a subject may be trained, and writes the training's row. Blocking SQL.

The row is written before the job is sent to a trainer, so a crash at any point loses nothing: `Reconciler` finds the
row and continues, see `mirror`.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.database import database_now, read, write
from headshots.errors import FailedPreconditionError
from headshots.schema import PENDING, trainings
from services.gateway.api.labels import NO_LABELS, Labelling
from services.gateway.api.names import training_name
from services.gateway.api.requests import IdempotencyKey, find_made
from services.gateway.audit.models import Action
from services.gateway.audit.recording import record
from services.gateway.consents.checks import check_consent
from services.gateway.consents.models import Purpose
from services.gateway.peers.class_nouns import check_class_noun
from services.gateway.peers.models import TrainingJob, TrainingOptions, TrainingRequest
from services.gateway.peers.pools.models import ANY_PLACE, TrainingPlace
from services.gateway.photos.limits import MIN_TRAINING_PHOTOS
from services.gateway.photos.removing import check_not_expired
from services.gateway.photos.rows import photo_refs
from services.gateway.tenants.ownership import find_subject, new_id, object_prefix
from services.gateway.tenants.priority import check_places
from services.gateway.trainings.events import record_creation, to_training
from services.gateway.trainings.models import Training
from services.gateway.trainings.rows import active_of_subject


def look_up(engine: Engine, tenant_id: str, subject_id: str, key: IdempotencyKey) -> Training | None:
    """The training that an earlier call with this `key` made.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND.
        AlreadyExistsError: REQUEST_ID_REUSED.
    """
    with read(engine) as connection:
        find_subject(connection, tenant_id, subject_id)
        made = find_made(connection, trainings, trainings.c.subject_id == subject_id, key)
        return to_training(made) if made is not None else None


def create_training(
    engine: Engine,
    tenant_id: str,
    subject_id: str,
    *,
    options: TrainingOptions,
    priority: int,
    key: IdempotencyKey,
    validate_only: bool,
    photos: Sequence[str] = (),
    place: TrainingPlace = ANY_PLACE,
    labelling: Labelling = NO_LABELS,
) -> Training:
    """Queues a training on the photos with these names, else on all that the subject has now.

    A repeated `key` returns what it created before; `validate_only` inserts nothing. `place`: whose trainers do it.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, PHOTO_NOT_FOUND.
        AlreadyExistsError: REQUEST_ID_REUSED.
        PermissionDeniedError: PRIORITY_NOT_GRANTED. ResourceExhaustedError: HIGH_PRIORITY_FULL.
        FailedPreconditionError: CONSENT_MISSING, CONSENT_EXPIRED, CLASS_NOUN_UNKNOWN, PHOTOS_MISSING, TOO_FEW_PHOTOS,
            TRAINING_ACTIVE.
    """
    with write(engine) as connection:
        return create_training_in(
            connection,
            tenant_id,
            subject_id,
            options=options,
            priority=priority,
            key=key,
            validate_only=validate_only,
            photos=photos,
            place=place,
            labelling=labelling,
        )


def create_training_in(
    connection: Connection,
    tenant_id: str,
    subject_id: str,
    *,
    options: TrainingOptions,
    priority: int,
    key: IdempotencyKey,
    validate_only: bool,
    photos: Sequence[str] = (),
    place: TrainingPlace = ANY_PLACE,
    labelling: Labelling = NO_LABELS,
    has_places: bool = False,
) -> Training:
    """:func:`create_training` within a transaction; locks the subject. `has_places`: as of `create_gallery_in`."""
    subject = find_subject(connection, tenant_id, subject_id, lock=True)
    if (made := find_made(connection, trainings, trainings.c.subject_id == subject_id, key)) is not None:
        return to_training(made)
    check_places(connection, tenant_id, priority, 0 if has_places else 1)
    check_consent(connection, tenant_id, subject_id, Purpose.TRAINING)
    refs = photo_refs(connection, subject_id, photos)
    if place.described is not None:
        check_class_noun(place.described, subject.class_noun)
    check_not_expired(connection, subject_id)
    _check_ready(connection, subject_id, len(refs))
    request = _request(tenant_id, object_prefix(tenant_id, subject_id), refs, subject.class_noun, options, priority)
    training = Training(
        request.job_id,
        subject_id,
        request,
        TrainingJob(state=PENDING),
        database_now(connection),
        revision=1,
        pool=place.pool,
        foundation_digest=place.foundation_digest,
        labelling=labelling,
    )
    if not validate_only:
        _insert(connection, tenant_id, key, training)
    return training


def _request(
    tenant_id: str,
    prefix: str,
    photos: tuple[tuple[str, str], ...],
    class_noun: str,
    options: TrainingOptions,
    priority: int,
) -> TrainingRequest:
    """What a trainer will be asked for; the job's id is new."""
    job_id = new_id()
    return TrainingRequest(job_id, tenant_id, photos, f"{prefix}/adapters/{job_id}", class_noun, options, priority)


def _check_ready(connection: Connection, subject_id: str, photos: int) -> None:
    """Returns where there are enough photos, and no training of the subject waits or runs."""
    if photos < MIN_TRAINING_PHOTOS:
        raise FailedPreconditionError(
            "TOO_FEW_PHOTOS",
            f"a training needs at least {MIN_TRAINING_PHOTOS} photos, this one has {photos}; upload or name more",
        )
    check_none_active(connection, subject_id)


def check_none_active(connection: Connection, subject_id: str) -> None:
    """Returns where no training of the subject waits or runs.

    Raises:
        FailedPreconditionError: TRAINING_ACTIVE.
    """
    active = active_of_subject(connection, subject_id)
    if active is not None:
        name = training_name(subject_id, active)
        raise FailedPreconditionError(
            "TRAINING_ACTIVE", f"{name} has not ended; wait for it or cancel it", metadata={"name": name}
        )


def _insert(connection: Connection, tenant_id: str, key: IdempotencyKey, training: Training) -> None:
    connection.execute(
        sa.insert(trainings).values(
            id=training.id,
            subject_id=training.subject_id,
            tenant_id=tenant_id,
            state=training.job.state,
            request=training.request.to_json(),
            job=training.job.to_json(),
            created_at=training.created_at,
            revision=training.revision,
            pool=training.pool,
            foundation_digest=training.foundation_digest,
            **training.labelling.fields,
            **key.columns,
        )
    )
    record_creation(connection, training)
    name = training_name(training.subject_id, training.id)
    record(connection, tenant_id, training.subject_id, Action.TRAINING_CREATED, name)
