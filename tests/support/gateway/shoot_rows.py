"""Makes shoots on a database alone, without a gateway."""

from __future__ import annotations

import dataclasses
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import keys, schema
from headshots.acceptance.profiles import PROFILE_WORTHY
from headshots.database import write
from services.gateway.api.requests import IdempotencyKey
from services.gateway.peers.models import TrainingJob, TrainingOptions, TrainingRequest
from services.gateway.peers.pools.models import ANY_PLACE
from services.gateway.shoots.creating import Wanted, create_shoot
from services.gateway.shoots.models import Plan, Shoot, ShootOrder
from services.gateway.subjects.rows import create_subject
from tests.support.consents import GIVEN
from tests.support.gateway.queue import ADAPTER, LIBRARY

PLAN = Plan(
    recipes=tuple(LIBRARY)[:2],
    style_shots=(2, 1),
    profile=PROFILE_WORTHY,
    max_tries=3,
    seed=0,
    image_format=1,
    quality=0,
    priority=1,
    pack="",
)
ORDER = ShootOrder(count=3)


def new_subject(engine: Engine) -> str:
    """The id of a subject with six photos of a tenant."""
    keys.create_tenant(engine, "acme")
    subject = create_subject(engine, "acme", display_name="", class_noun="", key=IdempotencyKey(), consent=GIVEN).id
    with write(engine) as connection:
        for number in range(6):
            photo = {
                "sha256": f"{number}",
                "key": f"key-{number}",
                "object_sha256": f"object-{number}",
                "size_bytes": 1,
                "width_px": 64,
                "height_px": 64,
                "position": number,
                "created_at": 0.0,
            }
            connection.execute(sa.insert(schema.photos).values(subject_id=subject, **photo))
    return subject


def new_shoot(engine: Engine, subject: str) -> Shoot:
    """A shoot that begins with a training."""
    wanted = Wanted(PLAN, "person", None, None, ANY_PLACE)
    return create_shoot(engine, "acme", subject, ORDER, wanted, key=IdempotencyKey(), validate_only=False)


def end_training(engine: Engine, training_id: str, state: str = schema.SUCCEEDED, **job: Any) -> None:
    """The training ends; `job` are further fields of its job."""
    made = ADAPTER if state == schema.SUCCEEDED else None
    document = TrainingJob(state, adapter=made, **job).to_json()
    values = {"state": state, "job": document, "ended_at": 1.0, "revision": schema.trainings.c.revision + 1}
    with write(engine) as connection:
        connection.execute(sa.update(schema.trainings).where(schema.trainings.c.id == training_id).values(**values))


def finished_training(
    engine: Engine, subject: str, name: str, *, ended_at: float, options: TrainingOptions | None = None, **job: Any
) -> None:
    """A training of before; `job` are further fields of its job."""
    request = TrainingRequest(name, "acme", (), "", "person", options or TrainingOptions(), 1)
    foundation = {"foundation_digest": job.pop("foundation_digest", ADAPTER.foundation_digest)}
    made = dataclasses.replace(ADAPTER, **foundation)
    with write(engine) as connection:
        connection.execute(
            sa.insert(schema.trainings).values(
                id=name,
                subject_id=subject,
                tenant_id="acme",
                state=schema.SUCCEEDED,
                request=request.to_json(),
                job=TrainingJob(schema.SUCCEEDED, adapter=made, ended_at=ended_at, **job).to_json(),
                created_at=0.0,
                ended_at=ended_at,
            )
        )
