"""Shots are claimed by fair share between tenants, however many one of them has ordered."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import schema
from headshots.database import write
from headshots.v1.jobs_pb2 import PRIORITY_HIGH
from tests.support.gateway.queue import finish, order, take, trained_subject


def test_many_earlier_galleries_do_not_hold_up_another_tenants_first(engine: Engine) -> None:
    big, small = trained_subject(engine, "big"), trained_subject(engine, "small")
    for _ in range(5):
        order(engine, "big", big, 4)
    held = [take(engine) for _ in range(4)]
    order(engine, "small", small, 4)
    assert [take(engine).tenant_id for _ in range(4)] == ["small"] * 4
    for shot in held:
        finish(engine, shot)
    # Four of small's run by now, and none of big's.
    assert [take(engine).tenant_id for _ in range(2)] == ["big"] * 2


def test_one_shot_at_a_time_tenants_alternate(engine: Engine) -> None:
    big, small = trained_subject(engine, "big"), trained_subject(engine, "small")
    for _ in range(3):
        order(engine, "big", big, 2)
    order(engine, "small", small, 3)
    served = []
    for _ in range(6):
        shot = take(engine)
        served.append(shot.tenant_id)
        finish(engine, shot)
    assert served in (["big", "small"] * 3, ["small", "big"] * 3)


def test_within_a_tenant_galleries_go_by_priority_then_age_and_shots_by_number(engine: Engine) -> None:
    subject = trained_subject(engine, "acme")
    first, second = order(engine, "acme", subject, 2), order(engine, "acme", subject, 1)
    urgent = order(engine, "acme", subject, 1, PRIORITY_HIGH)
    taken = [take(engine) for _ in range(4)]
    assert [(shot.gallery_id, shot.number) for shot in taken] == [(urgent, 0), (first, 0), (first, 1), (second, 0)]


def test_a_shot_whose_worker_is_lost_does_not_count_as_running(engine: Engine) -> None:
    lost, other = trained_subject(engine, "lost"), trained_subject(engine, "other")
    order(engine, "lost", lost, 1)
    take(engine)
    with write(engine) as connection:
        connection.execute(sa.update(schema.shots).values(lease_expires_at=0.0))
        connection.execute(sa.update(schema.tenants).values(last_shot_at=0.0))
    order(engine, "other", other, 1)
    assert [take(engine).tenant_id for _ in range(2)] == ["lost", "other"]
