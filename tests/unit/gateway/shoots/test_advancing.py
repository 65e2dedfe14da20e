"""A step of a shoot is done once, however many gateways try it, and a shoot changes forward only."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import schema
from headshots.database import read
from headshots.schema import CANCELLED, FAILED, PENDING, RUNNING, SUCCEEDED
from services.gateway.peers.models import Failure, TrainingJob
from services.gateway.retention.waiting import MESSAGE
from services.gateway.shoots import rows
from services.gateway.shoots.advancing import advance, standings
from services.gateway.shoots.models import Shoot
from services.gateway.trainings import mirror
from tests.support.gateway.shoot_rows import end_training, new_shoot, new_subject


def all_at_once(calls: list[Callable[[], object]]) -> None:
    """Runs all in threads of their own; what one raises fails the test."""
    failures: list[BaseException] = []

    def run(call: Callable[[], object]) -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            failures.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def load(engine: Engine, shoot: Shoot) -> Shoot:
    return rows.get_shoot(engine, "acme", shoot.subject_id, shoot.id)


def count(engine: Engine, table: sa.Table) -> int:
    with read(engine) as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def test_many_gateways_make_one_gallery(engine: Engine) -> None:
    shoot = new_shoot(engine, new_subject(engine))
    end_training(engine, shoot.training_id)
    all_at_once([lambda: advance(engine, shoot.id)] * 8)
    assert (count(engine, schema.galleries), count(engine, schema.shots)) == (1, 3)
    # The creation, and one step.
    assert (load(engine, shoot).revision, count(engine, schema.shoot_events)) == (2, 2)


def test_cancelling_beside_the_step_to_the_gallery_leaves_nothing_running(engine: Engine) -> None:
    for _ in range(5):
        shoot = new_shoot(engine, new_subject(engine))
        end_training(engine, shoot.training_id)
        cancel = (rows.request_cancel, engine, "acme", shoot.subject_id, shoot.id)
        all_at_once([lambda: advance(engine, shoot.id), lambda: cancel[0](*cancel[1:])] * 2)  # type: ignore[operator]  # noqa: B023
        advance(engine, shoot.id)
        assert load(engine, shoot).state == CANCELLED
    with read(engine) as connection:
        states = set(connection.execute(sa.select(schema.galleries.c.state)).scalars())
    assert states <= {CANCELLED}


def test_a_shoot_goes_through_its_stages(engine: Engine) -> None:
    shoot = new_shoot(engine, new_subject(engine))
    assert advance(engine, shoot.id) is None, "nothing has changed"
    mirror.record_job(engine, shoot.training_id, TrainingJob(RUNNING, step=2, total_steps=9, revision=1))
    changed = advance(engine, shoot.id)
    assert changed is not None
    assert (changed.state, changed.progress.training_step, changed.progress.training_total_steps) == (RUNNING, 2, 9)
    # A training that is queued again, as after its trainer was lost, does not take the shoot back.
    mirror.mark_unsubmitted(engine, shoot.training_id)
    advance(engine, shoot.id)
    assert load(engine, shoot).state == RUNNING
    end_training(engine, shoot.training_id)
    changed = advance(engine, shoot.id)
    assert changed is not None
    assert changed.gallery_id is not None
    assert [each.gallery_id for each in standings(engine)] == [changed.gallery_id]


@pytest.mark.parametrize(("state", "failure"), [(FAILED, Failure("TRAINING_DIVERGED", "no")), (CANCELLED, None)])
def test_how_its_training_ends_it_ends(engine: Engine, state: str, failure: Failure | None) -> None:
    shoot = new_shoot(engine, new_subject(engine))
    end_training(engine, shoot.training_id, state, failure=failure)
    ended = advance(engine, shoot.id)
    assert ended is not None
    assert (ended.state, ended.failure, ended.gallery_id) == (state, failure, None)
    assert ended.ended_at is not None
    assert standings(engine) == []
    assert advance(engine, shoot.id) is None
    assert load(engine, shoot) == ended


def test_a_new_shoot_waits(engine: Engine) -> None:
    shoot = new_shoot(engine, new_subject(engine))
    assert (shoot.state, shoot.gallery_id, shoot.revision) == (PENDING, None, 1)
    (standing,) = standings(engine)
    assert (standing.shoot_id, standing.training_id, standing.gallery_revision) == (shoot.id, shoot.training_id, None)
    with read(engine) as connection:
        state = connection.execute(sa.select(schema.trainings.c.state)).scalar_one()
    assert state == PENDING != SUCCEEDED


@pytest.mark.parametrize(
    ("consents", "state", "reason"),
    [
        (sa.update(schema.consents).values(expires_at=0.0), RUNNING, None),
        (sa.delete(schema.consents), FAILED, "CONSENT_MISSING"),
    ],
)
def test_by_a_clock_that_is_not_trusted_a_shoot_fails_only_for_what_no_time_cures(
    engine: Engine, consents: sa.Update | sa.Delete, state: str, reason: str | None
) -> None:
    shoot = new_shoot(engine, new_subject(engine))
    end_training(engine, shoot.training_id)
    with engine.begin() as connection:
        connection.execute(consents)
    advance(engine, shoot.id, by_clock=False)
    ended = load(engine, shoot)
    assert (ended.state, ended.failure and ended.failure.reason) == (state, reason)
    assert (ended.status_message == MESSAGE) == (reason is None)
