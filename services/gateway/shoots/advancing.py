"""Takes shoots to their next stage: training, gallery, end. Blocking SQL; `runner` calls it.

Every step is one transaction under the locks of the subject's and the shoot's rows, and makes what it makes together
with the note of it. So a step is done once, whoever is killed and however many gateways try it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.database import read, write
from headshots.errors import HeadshotsError, UnavailableError
from headshots.schema import CANCELLED, FAILED, PENDING, RUNNING, SUCCEEDED, galleries, shoots, trainings
from services.gateway.galleries.images.listing import finished_numbers
from services.gateway.galleries.models import Gallery
from services.gateway.galleries.rows import load_gallery
from services.gateway.peers.models import Failure
from services.gateway.retention.waiting import BY_CLOCK, MESSAGE
from services.gateway.shoots.creating import create_gallery
from services.gateway.shoots.events import lock_active, record_change
from services.gateway.shoots.models import Shoot
from services.gateway.shoots.rows import ACTIVE
from services.gateway.tenants.ownership import lock_subject
from services.gateway.trainings.models import Training
from services.gateway.trainings.rows import load_training


@dataclass(frozen=True)
class Standing:
    """Where a shoot that has not ended stands: whatever takes it further changes one of these."""

    shoot_id: str
    revision: int
    training_id: str
    training_revision: int
    gallery_id: str | None
    gallery_revision: int | None
    origin: Mapping[str, str] | None = None
    """The call that ordered it, see `headshots.telemetry.origins`."""


def standings(engine: Engine) -> list[Standing]:
    """Of all shoots that have not ended, oldest first."""
    query = (
        sa.select(
            shoots.c.id,
            shoots.c.revision,
            shoots.c.training_id,
            trainings.c.revision,
            shoots.c.gallery_id,
            galleries.c.revision,
            shoots.c.origin,
        )
        .join(trainings, trainings.c.id == shoots.c.training_id)
        .outerjoin(galleries, galleries.c.id == shoots.c.gallery_id)
        .where(ACTIVE)
        .order_by(shoots.c.created_at, shoots.c.id)
    )
    with read(engine) as connection:
        return [Standing(*row) for row in connection.execute(query)]


def advance(engine: Engine, shoot_id: str, *, by_clock: bool = True) -> Shoot | None:
    """Takes a shoot as far as its training and its gallery allow; the shoot where that has changed it.

    Without `by_clock` one that only a time keeps from its gallery waits.
    """
    with write(engine) as connection:
        subject_id = connection.execute(sa.select(shoots.c.subject_id).where(shoots.c.id == shoot_id)).scalar()
        if subject_id is None:
            return None
        # In the order in which calls lock them.
        lock_subject(connection, subject_id)
        shoot = lock_active(connection, shoot_id)
        return None if shoot is None else record_change(connection, shoot, _next(connection, shoot, by_clock))


def _next(connection: Connection, shoot: Shoot, by_clock: bool) -> Shoot:
    """The shoot as it should be."""
    if shoot.gallery_id is None:
        training = load_training(connection, shoot.training_id)
        shoot = _with_training(shoot, training)
        if training.job.state != SUCCEEDED:
            return shoot
        return _ended(shoot, CANCELLED) if shoot.cancel_requested else _with_new_gallery(connection, shoot, by_clock)
    gallery = load_gallery(connection, shoot.gallery_id)
    assert gallery is not None, "it is not deleted while its shoot runs"
    return _with_gallery(shoot, gallery, finished_numbers(connection, gallery.id))


def _with_training(shoot: Shoot, training: Training) -> Shoot:
    job = training.job
    if job.state in (CANCELLED, FAILED):
        shoot = _ended(shoot, job.state, job.failure)
    progress = dataclasses.replace(
        shoot.progress,
        training_step=job.step,
        training_total_steps=job.total_steps,
        training_phase_message=job.phase_message,
        training=job.progress,
        training_eta_seconds=job.eta_seconds if job.state == RUNNING else None,
    )
    return dataclasses.replace(
        shoot,
        state=shoot.state if job.state == PENDING or shoot.is_terminal else RUNNING,
        progress=progress,
        status_message="" if shoot.is_terminal else training.status_message,
    )


def _with_new_gallery(connection: Connection, shoot: Shoot, by_clock: bool) -> Shoot:
    try:
        with connection.begin_nested():
            made_with = connection, shoot.tenant_id, shoot.subject_id, shoot.training_id, shoot.plan
            # Photos whose time came with the training are of no use to calls, and there until the shoot ends.
            gallery_id = create_gallery(*made_with, labelling=shoot.labelling.of_parts, allow_unjudged=True)
    except UnavailableError:
        raise
    except HeadshotsError as error:
        if error.reason in BY_CLOCK and not by_clock:
            return dataclasses.replace(shoot, status_message=MESSAGE)
        # As where the right to high priority was taken back meanwhile: another attempt would meet the same.
        return _ended(shoot, FAILED, Failure(error.reason, error.message))
    return dataclasses.replace(shoot, gallery_id=gallery_id, status_message="")


def _with_gallery(shoot: Shoot, gallery: Gallery, finished: tuple[int, ...]) -> Shoot:
    progress = dataclasses.replace(
        shoot.progress,
        delivered=gallery.accepted_shots,
        tries=gallery.tries,
        images=finished,
        guarantee=gallery.guarantee,
    )
    shoot = dataclasses.replace(shoot, progress=progress, status_message=gallery.status_message)
    if gallery.is_terminal:
        return _ended(shoot, gallery.state, gallery.failure)
    return dataclasses.replace(shoot, state=shoot.state if gallery.state == PENDING else RUNNING)


def _ended(shoot: Shoot, state: str, failure: Failure | None = None) -> Shoot:
    return dataclasses.replace(shoot, state=state, failure=failure, status_message="")
