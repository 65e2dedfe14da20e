"""Who takes a consent back has all that runs for them cancelled, in the transaction that hides them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import schema
from headshots.database import read
from services.gateway.subjects import erasure
from services.gateway.trainings import mirror
from tests.support.gateway.queue import order, take, trained_subject
from tests.support.gateway.shoot_rows import new_shoot, new_subject


def test_a_training_on_its_way_to_a_trainer_is_to_be_cancelled(engine: Engine) -> None:
    subject = new_subject(engine)
    shoot = new_shoot(engine, subject)
    assert mirror.mark_sent(engine, shoot.training_id)
    erasure.withdraw(engine, "acme", subject)
    training = mirror.load(engine, shoot.training_id)
    assert training is not None
    assert training.cancel_requested


def test_shots_that_wait_are_cancelled_and_those_that_run_are_to_be(engine: Engine) -> None:
    subject = trained_subject(engine, "acme")
    gallery = order(engine, "acme", subject, 2)
    running = take(engine)
    hidden = erasure.withdraw(engine, "acme", subject)
    assert list(hidden.galleries) == [gallery]
    with read(engine) as connection:
        rows = connection.execute(sa.select(schema.shots).order_by(schema.shots.c.number)).all()
    assert [row.state for row in rows] == [schema.RUNNING, schema.CANCELLED]
    assert [row.cancel_requested for row in rows if row.id == running.lease.id] == [True]
