"""What a shot is charged for workers that were lost with it: nothing, unless they held nothing else."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots.database import read
from headshots.schema import shots as table
from services.gateway.galleries.claiming import claim
from services.gateway.galleries.queue.shot import Shot
from tests.support.gateway.queue import expire, finish, order, take, trained_subject


@pytest.fixture
def person(engine: Engine) -> str:
    return trained_subject(engine, "acme")


def die(engine: Engine, owner: str, count: int) -> list[int]:
    """A worker claims as many shots as it may, up to `count`, and is lost; the numbers of its shots."""
    held: list[Shot] = []
    while len(held) < count and not any(shot.needs_to_be_alone for shot in held):
        shot = claim(engine, owner=owner, ttl_seconds=60.0, has_others=bool(held))
        if shot is None:
            break
        held.append(shot)
    expire(engine)
    return [shot.number for shot in held]


def column(engine: Engine, name: str) -> list[object]:
    with read(engine) as connection:
        return list(connection.execute(sa.select(table.c[name]).order_by(table.c.number)).scalars())


def test_a_lost_worker_costs_its_shots_no_attempt(engine: Engine, person: str) -> None:
    order(engine, "acme", person, 4)
    for number in range(5):
        assert len(die(engine, f"worker-{number}", 4)) in (1, 4)
    shot = take(engine, "survivor")
    assert shot.counted_attempts == 1
    assert not shot.ends_workers
    assert shot.lease.attempt == shot.uncounted_attempts + 1


def test_those_that_fewer_workers_were_lost_with_go_first(engine: Engine, person: str) -> None:
    order(engine, "acme", person, 8)
    assert [die(engine, f"worker-{number}", 3) for number in range(3)] == [[0, 1, 2], [3, 4, 5], [6, 7, 0]]
    assert die(engine, "last", 5) == [1, 2, 3, 4, 5]


def test_a_shot_that_two_were_lost_with_is_held_alone(engine: Engine, person: str) -> None:
    order(engine, "acme", person, 2)
    assert [die(engine, f"worker-{number}", 2) for number in range(2)] == [[0, 1], [0, 1]]
    other = order(engine, "acme", person, 1)
    # It is the turn of shot 0: who holds another gets none, not even one that comes after it.
    assert claim(engine, owner="busy", ttl_seconds=60.0, has_others=True) is None
    first = take(engine, "idle")
    assert (first.number, first.needs_to_be_alone) == (0, True)
    finish(engine, first)
    finish(engine, take(engine, "idle"))
    assert take(engine, "busy", has_others=True).gallery_id == other


def test_two_different_workers_lost_with_it_and_nothing_else_convict_it(engine: Engine, person: str) -> None:
    order(engine, "acme", person, 1)
    assert [die(engine, owner, 1) for owner in ("first", "second")] == [[0], [0]]
    shot = take(engine, "third")
    assert (shot.lost_workers, shot.lone_losses, shot.ends_workers) == (2, 2, True)


def test_one_worker_that_is_lost_twice_is_one_witness(engine: Engine, person: str) -> None:
    order(engine, "acme", person, 2)
    assert die(engine, "first", 1) == [0]
    # With the second the shot is in company, which says nothing of it.
    assert die(engine, "second", 2) == [1, 0]
    finish(engine, take(engine, "first"))
    assert die(engine, "first", 1) == [0]
    shot = take(engine, "third")
    assert (shot.number, shot.lost_workers, shot.lone_losses) == (0, 3, 1)


def test_a_worker_that_takes_its_own_shot_again_was_not_lost(engine: Engine, person: str) -> None:
    order(engine, "acme", person, 1)
    for _ in range(4):
        die(engine, "sleeper", 1)
    shot = take(engine, "sleeper")
    assert (shot.lost_workers, shot.lone_losses, shot.counted_attempts) == (0, 0, 1)


@pytest.mark.parametrize("first_ends", [True, False])
def test_company_counts_from_the_claim_to_the_loss(engine: Engine, person: str, first_ends: bool) -> None:
    """The first shot was alone when it was claimed, and the second when the worker was lost; neither always."""
    order(engine, "acme", person, 2)
    first = take(engine, "worker")
    second = take(engine, "worker", has_others=True)
    finish(engine, first if first_ends else second)
    expire(engine)
    assert take(engine, "other").lone_losses == 0


def test_a_claim_that_finds_nothing_more_leaves_a_shot_alone(engine: Engine, person: str) -> None:
    order(engine, "acme", person, 1)
    take(engine, "worker")
    assert claim(engine, owner="worker", ttl_seconds=60.0, has_others=True) is None
    assert column(engine, "in_company") == [False]
