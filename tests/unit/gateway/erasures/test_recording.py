"""An erasure that a gateway without receipts began is recorded by the first step of one that knows them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots.database import read, write
from headshots.schema import erasures, subjects
from services.gateway.erasures.models import Gap
from services.gateway.erasures.recording import lock_open, note_objects
from tests.support.gateway.shoot_rows import new_subject


@pytest.fixture
def hidden(engine: Engine) -> str:
    """The id of a subject that is being erased, without a record of it."""
    subject = new_subject(engine)
    with write(engine) as connection:
        connection.execute(sa.update(subjects).values(deleting=True))
    return subject


def test_its_first_step_records_it_and_that_this_came_late(engine: Engine, hidden: str) -> None:
    note_objects(engine, "acme", hidden, {f"tenants/acme/subjects/{hidden}/photos/a": 7})
    with read(engine) as connection:
        row = connection.execute(sa.select(erasures)).one()
    assert (row.subject_id, row.trigger) == (hidden, "UNKNOWN")
    assert Gap.RECORDED_LATE.value in [each["reason"] for each in row.exceptions]
    assert [each["count"] for each in row.summary["uncommitted"]] == [1]


def test_it_is_recorded_once(engine: Engine, hidden: str) -> None:
    ids = []
    for _ in range(2):
        with write(engine) as connection:
            row = lock_open(connection, "acme", hidden)
            assert row is not None
            ids.append(row.id)
    assert ids[0] == ids[1]


def test_of_a_subject_that_is_gone_there_is_no_record(engine: Engine) -> None:
    with write(engine) as connection:
        assert lock_open(connection, "acme", "gone") is None
    with read(engine) as connection:
        assert connection.execute(sa.select(erasures)).all() == []
