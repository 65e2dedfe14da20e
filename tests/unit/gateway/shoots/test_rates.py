"""Rates are read of what has succeeded lately on the present foundation, the queue of what waits now."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import schema
from headshots.database import read, write
from services.gateway.api.requests import IdempotencyKey
from services.gateway.galleries.creating import create_gallery
from services.gateway.galleries.models import GalleryOrder
from services.gateway.peers.models import TrainingJob, TrainingOptions
from services.gateway.peers.pools.models import TrainingPlace
from services.gateway.shoots.creating import Wanted, create_shoot
from services.gateway.shoots.quote import Measured, Queue, Rates
from services.gateway.shoots.rates import read_queue, read_rates
from services.gateway.trainings import mirror
from tests.support.gateway.queue import ADAPTER
from tests.support.gateway.shoot_rows import ORDER, PLAN, finished_training, new_shoot, new_subject

DIGEST = ADAPTER.foundation_digest


def finished_gallery(engine: Engine, subject: str, *, max_tries: int, tries: int) -> str:
    """A gallery of three that took 30 seconds and so many tries of each shot."""
    order = GalleryOrder(tuple(recipe.name for recipe in PLAN.recipes), style_shots=(2, 1), max_tries=max_tries)
    key = IdempotencyKey()
    gallery = create_gallery(engine, "acme", subject, order, PLAN.recipes, PLAN.profile, key=key, validate_only=False)
    with write(engine) as connection:
        mine = schema.shots.c.gallery_id == gallery.id
        connection.execute(sa.update(schema.shots).where(mine).values(state=schema.SUCCEEDED, tries=tries))
        times = {"state": schema.SUCCEEDED, "started_at": 70.0, "ended_at": 100.0}
        connection.execute(sa.update(schema.galleries).where(schema.galleries.c.id == gallery.id).values(**times))
    return gallery.id


def rates(engine: Engine, digest: str | None = DIGEST) -> Rates:
    with read(engine) as connection:
        return read_rates(connection, digest)


def queue(engine: Engine, pool: str = schema.MAIN_POOL, digest: str | None = DIGEST) -> Queue:
    with read(engine) as connection:
        return read_queue(connection, pool, digest)


def test_trainings_tell_their_time_and_the_steps_of_those_without_options(engine: Engine) -> None:
    subject = new_subject(engine)
    assert rates(engine) == Rates()
    finished_training(engine, subject, "default", ended_at=100.0, started_at=40.0, total_steps=400)
    told = TrainingOptions(steps=50)
    finished_training(engine, subject, "told", ended_at=90.0, started_at=80.0, total_steps=50, options=told)
    other = "0f" * 32
    finished_training(engine, subject, "other", ended_at=95.0, started_at=0.0, total_steps=9, foundation_digest=other)
    finished_training(engine, subject, "untimed", ended_at=96.0, total_steps=400)
    found = rates(engine)
    assert found.trainings == (Measured(400, 40.0, 100.0), Measured(50, 80.0, 90.0))
    assert found.training_steps == 400
    assert len(rates(engine, None).trainings) == 3
    assert rates(engine, other).trainings == (Measured(9, 0.0, 95.0),)


def test_galleries_tell_their_time_from_their_first_shot_and_their_tries(engine: Engine) -> None:
    subject = new_subject(engine)
    finished_training(engine, subject, "training", ended_at=1.0)
    finished_gallery(engine, subject, max_tries=1, tries=1)
    assert rates(engine).galleries == (Measured(3, 70.0, 100.0),)
    # One that may not paint again tells nothing of how often that is needed.
    assert rates(engine).tries == ()
    finished_gallery(engine, subject, max_tries=3, tries=2)
    assert sorted(job.size for job in rates(engine).galleries) == [3, 6]
    assert rates(engine).tries == (2.0,)
    assert rates(engine, "0f" * 32) == Rates()


def test_only_the_newest_are_read(engine: Engine) -> None:
    subject = new_subject(engine)
    for number in range(40):
        finished_training(engine, subject, f"{number}", ended_at=100.0 + number, started_at=50.0, total_steps=number)
    assert [job.size for job in rates(engine).trainings] == list(range(39, 9, -1))


def test_the_queue_is_of_all_tenants(engine: Engine) -> None:
    assert queue(engine) == Queue()
    first, second = new_shoot(engine, new_subject(engine)), new_shoot(engine, new_subject(engine))
    assert queue(engine) == Queue(waiting_trainings=2)
    job = TrainingJob(schema.RUNNING, eta_seconds=12.5, revision=1)
    mirror.record_job(engine, first.training_id, job)
    assert queue(engine) == Queue(1, (12.5,))
    finished_training(engine, second.subject_id, "earlier", ended_at=1.0)
    finished_gallery(engine, second.subject_id, max_tries=1, tries=0)
    with write(engine) as connection:
        for number, state in enumerate((schema.PENDING, schema.PENDING, schema.RUNNING)):
            connection.execute(sa.update(schema.shots).where(schema.shots.c.number == number).values(state=state))
    assert queue(engine) == Queue(1, (12.5,), 2, 1)


def test_the_queue_is_the_pools_own(engine: Engine) -> None:
    other, subject = "0f" * 32, new_subject(engine)
    first, second = new_shoot(engine, subject), new_shoot(engine, new_subject(engine))
    finished_training(engine, subject, "earlier", ended_at=1.0)
    finished_gallery(engine, subject, max_tries=1, tries=0)
    with write(engine) as connection:
        connection.execute(sa.update(schema.shots).values(state=schema.PENDING))

    def place(training_id: str, pool: str, digest: str) -> None:
        mine = schema.trainings.c.id == training_id
        values = {"pool": pool, "foundation_digest": digest}
        with write(engine) as connection:
            connection.execute(sa.update(schema.trainings).where(mine).values(**values))

    place(second.training_id, "v2", other)
    assert queue(engine) == Queue(waiting_trainings=1, waiting_shots=3)
    assert queue(engine, "v2", other) == Queue(waiting_trainings=1)
    place(second.training_id, "renamed", other)
    assert queue(engine, "v2", other).waiting_trainings == 1, "trainers take what is of their foundation"
    place(first.training_id, "v2", "")
    assert queue(engine, "v2", other).waiting_trainings == 2, "asked before the pool had told its foundation"
    assert queue(engine).waiting_trainings == 0
    assert queue(engine, "v2", None) == Queue(waiting_trainings=1, waiting_shots=3), "of all, where it is not known"


def test_a_quote_tells_the_place_in_the_pools_queue(engine: Engine) -> None:
    new_shoot(engine, new_subject(engine))
    places = [
        create_shoot(
            engine,
            "acme",
            new_subject(engine),
            ORDER,
            Wanted(PLAN, "person", None, None, TrainingPlace(pool)),
            key=IdempotencyKey(),
            validate_only=True,
        ).quote.queue_place
        for pool in (schema.MAIN_POOL, "v2")
    ]
    assert places == [1, 0]
