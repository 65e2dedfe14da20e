"""No reading is lost while the database is away, and chains of any length are linked and leave."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import keys
from headshots.audit.verifying import verify_chain
from headshots.clocks import ClockWatch
from headshots.database import database_now, read, write
from headshots.errors import UnavailableError
from headshots.rpc.auth import set_current_caller
from headshots.schema import audit_events
from services.gateway.audit import linking, log
from services.gateway.audit.log import AuditLog
from services.gateway.audit.models import Action
from services.gateway.audit.recording import record


def rows(engine: Engine) -> list[Any]:
    with read(engine) as connection:
        return list(connection.execute(sa.select(audit_events).order_by(audit_events.c.id)))


def fail(*_: Any) -> None:
    raise UnavailableError("DATABASE_UNAVAILABLE", "the database does not answer")


@pytest.fixture
def kept(engine: Engine) -> AuditLog:
    keys.create_tenant(engine, "acme")
    return AuditLog(engine, poll_seconds=3600.0, keep_days=400)


def see(kept: AuditLog, key_id: str, resource: str = "r") -> None:
    set_current_caller("acme", key_id)
    kept.record_reading("acme", "s1", Action.IMAGE_READ, resource)


async def test_readings_wait_until_the_database_takes_them(
    engine: Engine, kept: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    see(kept, "k1")
    with monkeypatch.context() as patched:
        patched.setattr(log, "record_readings", fail)
        with pytest.raises(UnavailableError):
            await kept.flush()
    see(kept, "k1")
    await kept.flush()
    await kept.flush()
    assert [(row.key_id, row.count) for row in rows(engine)] == [("k1", 2)]


async def test_each_key_and_each_file_is_an_event(engine: Engine, kept: AuditLog) -> None:
    for key_id, resource in (("k1", "r"), ("k2", "r"), ("k1", "r"), ("k1", "q")):
        see(kept, key_id, resource)
    await kept.flush()
    found = [(row.key_id, row.resource, row.count) for row in rows(engine)]
    assert sorted(found) == [("k1", "q", 1), ("k1", "r", 2), ("k2", "r", 1)]


async def test_what_a_stop_cannot_write_is_told(
    kept: AuditLog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    see(kept, "k1")
    see(kept, "k1")
    monkeypatch.setattr(log, "record_readings", fail)
    with caplog.at_level(logging.ERROR):
        await kept.close()
    assert "2 readings are lost" in caplog.text


def test_what_is_rolled_back_was_never_done(engine: Engine, kept: AuditLog) -> None:
    with engine.connect() as connection:
        record(connection, "acme", "s1", Action.SUBJECT_CREATED)
        connection.rollback()
    assert rows(engine) == []


def test_a_long_chain_is_linked_and_leaves_in_pieces(engine: Engine, kept: AuditLog) -> None:
    with write(engine) as connection:
        for number in range(1201):
            record(connection, "acme", f"s{number}", Action.SUBJECT_CREATED)
    assert linking.link(engine) == 1201
    assert linking.link(engine) == 0
    report = verify_chain(engine, "acme")
    assert (report.events, report.head.number, report.waiting, report.faults) == (1201, 1201, 0, ())
    assert [row.number for row in rows(engine)] == list(range(1, 1202))
    assert linking.expire(engine, kept_seconds=-3600.0) == 1201
    report = verify_chain(engine, "acme")
    assert (report.events, report.checkpoint, report.faults) == (0, report.head, ())
    with write(engine) as connection:
        record(connection, "acme", "s", Action.SUBJECT_CREATED)
    linking.link(engine)
    report = verify_chain(engine, "acme")
    assert (report.events, report.head.number, report.faults) == (1, 1202, ())


async def test_no_event_leaves_by_a_clock_that_jumped_ahead(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.create_tenant(engine, "acme")
    with write(engine) as connection:
        record(connection, "acme", "s", Action.SUBJECT_CREATED)
        now = database_now(connection)
    uptime = [0.0]
    clock = ClockWatch(lambda: uptime[0])
    assert clock.trusts(now - 500 * 86400.0), "as it was before it jumped"
    monkeypatch.setattr(log, "_EXPIRE_SECONDS", 0.0)
    # By the clock that jumped, the term of what was just recorded is over.
    kept = AuditLog(engine, poll_seconds=3600.0, keep_days=0, clock=clock)
    await kept._work()
    assert len(rows(engine)) == 1
    uptime[0] = 3601.0
    await kept._work()
    assert rows(engine) == []
