"""Consents on PostgreSQL: recorded, checked when work is ordered and when it begins, withdrawn beside other calls."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots import schema
from headshots.database import read
from headshots.errors import HeadshotsError
from services.gateway.galleries import rows as gallery_rows
from services.gateway.subjects import erasure
from tests.integration.deploy.test_postgres import engine, everybody_opens_it, url  # noqa: F401
from tests.integration.gateway.consents.test_checks import (  # noqa: F401
    subject,
    test_a_consent_covers_its_purposes_alone,
    test_a_shoot_whose_consent_ends_with_its_training_paints_nothing,
    test_a_training_in_a_trainers_queue_ends_when_the_consent_does,
    test_nothing_is_ordered_without_a_consent_that_holds,
    test_only_the_operator_waives_it_and_for_one_tenant,
    test_shots_that_have_not_begun_are_not_painted,
)
from tests.integration.gateway.consents.test_giving import (  # noqa: F401
    test_a_consent_comes_with_the_subject_and_is_told_wherever_it_is,
    test_a_later_consent_replaces_the_earlier_one,
)
from tests.integration.gateway.consents.test_withdrawing import (  # noqa: F401
    test_a_withdrawal_that_a_crash_broke_off_goes_on,
    test_what_runs_is_stopped_first_and_the_rest_needs_no_call,
)
from tests.support.deploy import postgres
from tests.support.gateway.inspections import LARGE_PHOTOS
from tests.support.gateway.queue import order, trained_subject
from tests.support.gateway.world import World, opened_world

pytestmark = postgres.needed


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A gateway that takes usable photos."""
    async with opened_world(tmp_path, **LARGE_PHOTOS) as world:
        yield world


def waits_for_a_lock(engine: Engine) -> bool:  # noqa: F811 - pytest's name of the fixture
    """Whether a session of the database does."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with read(engine) as connection:
        return bool(connection.execute(sa.text(waiting)).scalar_one())


def test_an_order_beside_a_withdrawal_waits_for_it_and_finds_nobody(
    engine: Engine,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person, answers = trained_subject(engine, "acme"), list[str]()
    cancel = gallery_rows.request_cancel_of_subject

    def late_order() -> None:
        try:
            answers.append(order(engine, "acme", person, 3))
        except HeadshotsError as error:
            answers.append(error.reason)

    late = threading.Thread(target=late_order)

    def cancel_then_order(connection: Connection, subject_id: str) -> list[str]:
        cancelled = cancel(connection, subject_id)
        late.start()
        while late.is_alive() and not waits_for_a_lock(engine):
            late.join(0.01)
        return cancelled

    monkeypatch.setattr(gallery_rows, "request_cancel_of_subject", cancel_then_order)
    erasure.withdraw(engine, "acme", person)
    late.join()
    assert answers == ["SUBJECT_NOT_FOUND"]
    with read(engine) as connection:
        assert connection.execute(sa.select(schema.galleries.c.id)).all() == []
