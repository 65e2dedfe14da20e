"""Shots are claimed by fair share between tenants, however many one of them has ordered."""

from __future__ import annotations

import itertools
import random

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import keys, schema
from headshots.database import write
from headshots.v1.jobs_pb2 import PRIORITY_HIGH
from services.gateway.galleries.claiming import claim
from services.gateway.galleries.queue.shot import Shot
from tests.support.gateway.queue import finish, granted_subject, order, take, trained_subject


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
    subject = granted_subject(engine, "acme")
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


def test_high_priority_holds_up_nobody_who_has_nothing_running(engine: Engine) -> None:
    """As many high-priority shots as there may be: the other tenant's two are the next two claims."""
    big, small = granted_subject(engine, "big", weight=8), trained_subject(engine, "small")
    for _ in range(10):
        order(engine, "big", big, 160, PRIORITY_HIGH)
    for _ in range(16):
        take(engine)
    order(engine, "small", small, 2)
    assert [take(engine).tenant_id for _ in range(2)] == ["small", "small"]


@pytest.mark.parametrize("seed", range(3))
def test_nobodys_share_is_less_than_one_part_in_the_sum_of_the_weights(engine: Engine, seed: int) -> None:
    """One of the oldest three ends, at random; 14 places are twice the sum of the weights."""
    rng, places, weights = random.Random(seed), 14, {"big": 4, "middle": 2, "small": 1}
    for tenant, weight in weights.items():
        subject = granted_subject(engine, tenant, weight=weight) if weight > 1 else trained_subject(engine, tenant)
        order(engine, tenant, subject, 120, PRIORITY_HIGH if weight > 1 else 1)
    running: list[Shot] = []
    claimed: list[str] = []
    for _ in range(140):
        if len(running) == places:
            finish(engine, running.pop(rng.randrange(3)))
        shot = claim(engine, owner="test", ttl_seconds=60.0)
        assert shot is not None
        running.append(shot)
        claimed.append(shot.tenant_id)
    for tenant, weight in weights.items():
        assert abs(claimed.count(tenant) - 20 * weight) <= 4, tenant
    starts = [at for at, tenant in enumerate(claimed) if tenant == "small"]
    assert max(after - before for before, after in itertools.pairwise(starts)) <= places + 3


def test_a_right_that_was_taken_back_leaves_an_order_within_the_tenant(engine: Engine) -> None:
    big, small = granted_subject(engine, "big", weight=8), trained_subject(engine, "small")
    order(engine, "big", big, 8)
    urgent = order(engine, "big", big, 8, PRIORITY_HIGH)
    order(engine, "small", small, 8)
    keys.revoke_high(engine, "big")
    claimed = [take(engine) for _ in range(8)]
    assert [shot.tenant_id for shot in claimed].count("small") == 4
    assert {shot.gallery_id for shot in claimed if shot.tenant_id == "big"} == {urgent}
