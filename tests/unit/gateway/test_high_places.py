"""High priority is bounded: how many trainings and shots of it a tenant may have waiting or running at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots import keys, schema
from headshots.database import read, write
from headshots.errors import ResourceExhaustedError
from headshots.v1.jobs_pb2 import PRIORITY_HIGH
from services.gateway.tenants.priority import check_places
from tests.support.gateway.queue import finish, granted_subject, order, take


def galleries_of(engine: Engine) -> int:
    with read(engine) as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(schema.galleries)).scalar_one()


def granted(engine: Engine, limit: int) -> str:
    subject = granted_subject(engine, "acme")
    keys.grant_high(engine, "acme", 4, limit)
    return subject


def test_what_waits_and_runs_counts_and_what_has_ended_does_not(engine: Engine) -> None:
    subject = granted(engine, 5)
    order(engine, "acme", subject, 3, PRIORITY_HIGH)
    # Of standard priority there may be any number.
    order(engine, "acme", subject, 9)
    with pytest.raises(ResourceExhaustedError) as caught:
        order(engine, "acme", subject, 3, PRIORITY_HIGH)
    assert caught.value.reason == "HIGH_PRIORITY_FULL"
    assert caught.value.metadata == {"limit": "5", "taken": "3", "needed": "3"}
    assert caught.value.retry_after_seconds
    assert "headshots tenants grant-high acme --weight 4 --limit N" in caught.value.message
    assert galleries_of(engine) == 2
    order(engine, "acme", subject, 2, PRIORITY_HIGH)
    shot = take(engine)
    with pytest.raises(ResourceExhaustedError):
        order(engine, "acme", subject, 1, PRIORITY_HIGH)
    finish(engine, shot)
    order(engine, "acme", subject, 1, PRIORITY_HIGH)


def test_an_order_above_the_limit_is_not_told_to_wait(engine: Engine) -> None:
    subject = granted(engine, 2)
    with pytest.raises(ResourceExhaustedError) as caught:
        order(engine, "acme", subject, 3, PRIORITY_HIGH)
    assert caught.value.retry_after_seconds is None
    assert "wait" not in caught.value.message.partition("; ")[2]


def test_another_tenants_work_takes_no_places(engine: Engine) -> None:
    subject = granted(engine, 2)
    other = granted_subject(engine, "globex")
    order(engine, "globex", other, 5, PRIORITY_HIGH)
    order(engine, "acme", subject, 2, PRIORITY_HIGH)


def test_orders_at_once_do_not_take_the_same_places(engine: Engine) -> None:
    subjects = [granted(engine, 4) for _ in range(8)]
    refused, begin = list[str](), threading.Barrier(len(subjects))

    def ask(subject: str) -> None:
        begin.wait()
        try:
            order(engine, "acme", subject, 2, PRIORITY_HIGH)
        except ResourceExhaustedError as error:
            refused.append(error.reason)

    threads = [threading.Thread(target=ask, args=(subject,)) for subject in subjects]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (galleries_of(engine), refused) == (2, ["HIGH_PRIORITY_FULL"] * 6)


def _trains(connection: Connection, subject: str) -> None:
    request = {"priority": PRIORITY_HIGH}
    connection.execute(
        sa.insert(schema.trainings).values(
            id="high", subject_id=subject, tenant_id="acme", state="running", request=request, job={}, created_at=0.0
        )
    )


def _has_shoot(connection: Connection, subject: str) -> None:
    plan = {"priority": PRIORITY_HIGH, "style_shots": [1, 2]}
    connection.execute(
        sa.insert(schema.shoots).values(
            id="shoot", subject_id=subject, tenant_id="acme", state="running", plan=plan, progress={}, quote={},
            training_id=f"training-{subject}", trains=True, created_at=0.0,
        )
    )  # fmt: skip


@pytest.mark.parametrize(("made", "takes"), [(_trains, 1), (_has_shoot, 3)])
def test_trainings_and_what_shoots_will_paint_take_places_too(
    engine: Engine, made: Callable[[Connection, str], None], takes: int
) -> None:
    subject = granted(engine, 5)
    with write(engine) as connection:
        made(connection, subject)
        check_places(connection, "acme", PRIORITY_HIGH, 5 - takes)
        with pytest.raises(ResourceExhaustedError, match="HIGH_PRIORITY_FULL"):
            check_places(connection, "acme", PRIORITY_HIGH, 6 - takes)
        # What has its places already, as the gallery of a shoot.
        check_places(connection, "acme", PRIORITY_HIGH, 0)
