"""A chain of the audit log shows what was changed, removed, put elsewhere or added, and goes on when events leave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import keys
from headshots.audit.verifying import Head, verify_chain
from headshots.database import open_database, write
from headshots.schema import audit_chains, audit_events
from services.gateway.audit import linking
from services.gateway.audit.models import Action
from services.gateway.audit.recording import record
from tests.support.deploy.tables import make_tables


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'headshots.db'}")
    make_tables(engine)
    keys.create_tenant(engine, "acme")
    with write(engine) as connection:
        for number in range(5):
            record(connection, "acme", f"s{number}", Action.SUBJECT_CREATED)
    assert linking.link(engine) == 5
    yield engine
    engine.dispose()


def faults(engine: Engine, *noted: Head) -> tuple[str, ...]:
    return verify_chain(engine, "acme", noted).faults


def change(engine: Engine, number: int, /, **values: object) -> None:
    with write(engine) as connection:
        connection.execute(sa.update(audit_events).where(audit_events.c.number == number).values(**values))


def test_a_chain_that_nobody_touched_is_whole(engine: Engine) -> None:
    report = verify_chain(engine, "acme")
    assert (report.events, report.head.number, report.checkpoint.number, report.faults) == (5, 5, 0, ())
    assert faults(engine, report.head) == ()


@pytest.mark.parametrize(
    "values",
    [{"key_id": "x"}, {"subject_id": "x"}, {"action": "trained"}, {"resource": "x"}, {"count": 2}, {"at": 1.0}],
    ids=lambda values: next(iter(values)),
)
def test_whatever_is_changed_of_an_event_is_found(engine: Engine, values: dict[str, object]) -> None:
    change(engine, 3, **values)
    assert [fault.split(" was")[0] for fault in faults(engine)] == ["event 3"]


def test_a_missing_event_is_found_in_the_middle_and_at_the_end(engine: Engine) -> None:
    for number, told in ((3, "event 3 is missing"), (5, "the chain ends with event 4")):
        with write(engine) as connection:
            connection.execute(sa.delete(audit_events).where(audit_events.c.number == number))
        assert any(told in fault for fault in faults(engine))


def test_two_events_that_changed_places_are_found(engine: Engine) -> None:
    for number, place in ((2, 99), (3, 2), (99, 3)):
        change(engine, number, number=place)
    assert [fault.split(" was")[0] for fault in faults(engine)] == ["event 2", "event 3", "event 4"]


def test_a_chain_that_was_made_anew_differs_from_a_head_that_was_noted(engine: Engine) -> None:
    noted = verify_chain(engine, "acme").head
    change(engine, 2, key_id="x")
    with write(engine) as connection:
        connection.execute(sa.delete(audit_chains))
        connection.execute(sa.update(audit_events).values(number=None, sha256=None))
    linking.link(engine)
    assert faults(engine) == ()
    assert faults(engine, noted) == ("event 5 is not the one that was noted",)


def test_old_events_leave_and_the_rest_still_verifies(engine: Engine) -> None:
    with write(engine) as connection:
        connection.execute(sa.delete(audit_events))
        connection.execute(sa.delete(audit_chains))
        for number in range(4):
            record(connection, "acme", f"s{number}", Action.SUBJECT_CREATED)
        first_two = audit_events.c.subject_id.in_(["s0", "s1"])
        connection.execute(sa.update(audit_events).where(first_two).values(at=1.0))
    linking.link(engine)
    assert linking.expire(engine, kept_seconds=3600.0) == 2
    report = verify_chain(engine, "acme")
    assert (report.events, report.checkpoint.number, report.head.number, report.faults) == (2, 2, 4, ())
