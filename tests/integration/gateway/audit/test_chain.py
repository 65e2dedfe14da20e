"""The audit log is one chain a tenant, whole whoever wrote it at once, and shows what is done to its rows."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from headshots import keys, schema
from headshots.audit.chain import FIRST
from headshots.audit.verifying import verify_chain
from headshots.v1 import subjects_pb2
from tests.support.consents import MESSAGE
from tests.support.gateway.audit import action_of, events_of
from tests.support.gateway.caller import Caller
from tests.support.gateway.world import World

EVENTS = schema.audit_events


async def one_life(caller: Caller) -> None:
    """Five events."""
    subject = await caller.subject()
    await caller("GiveConsent", subjects_pb2.GiveConsentRequest(name=subject, consent=MESSAGE))
    await caller("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))


async def test_it_is_whole_whoever_writes_and_links_at_once(world: World) -> None:
    first, through_first = world.gateway, world.acme
    assert first is not None
    await world.start()
    lives = [one_life(caller) for _ in range(6) for caller in (through_first, world.acme)]
    await asyncio.gather(*lives, *(events_of(caller) for _ in range(6) for caller in (through_first, world.acme)))
    found = await events_of(world.acme)
    assert [event.name for event in found] == [f"auditEvents/{number}" for number in range(1, 5 * len(lives) + 1)]
    report = verify_chain(world.database, "acme")
    assert (report.events, report.waiting, report.faults) == (5 * len(lives), 0, ())
    await first.close()
    await first.server.stop(0)


async def test_anybody_can_compute_it_from_what_is_listed(world: World) -> None:
    await one_life(world.acme)
    previous = FIRST
    for number, event in enumerate(await events_of(world.acme), start=1):
        told = {
            "tenant": "acme",
            "number": number,
            "time_us": event.record_time.ToMicroseconds(),
            "key": keys.id_of_key(world.keys["acme"]),
            "subject": event.subject.removeprefix("subjects/"),
            "action": action_of(event).lower(),
            "resource": event.resource,
            "count": event.count,
            "previous": previous,
        }
        previous = hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
        assert event.sha256 == previous


def change(connection: sa.Connection) -> None:
    connection.execute(sa.update(EVENTS).where(EVENTS.c.number == 3).values(key_id="another"))


def drop(connection: sa.Connection) -> None:
    connection.execute(sa.delete(EVENTS).where(EVENTS.c.number == 3))


def drop_last(connection: sa.Connection) -> None:
    connection.execute(sa.delete(EVENTS).where(EVENTS.c.number == 5))


def reorder(connection: sa.Connection) -> None:
    for number, place in ((2, 99), (3, 2), (99, 3)):
        connection.execute(sa.update(EVENTS).where(EVENTS.c.number == number).values(number=place))


@pytest.mark.parametrize("tamper", [change, drop, drop_last, reorder], ids=lambda each: each.__name__)
async def test_a_row_that_is_tampered_with_is_found(tamper: Callable[[sa.Connection], None], world: World) -> None:
    await one_life(world.acme)
    await events_of(world.acme)
    whole = verify_chain(world.database, "acme")
    assert (whole.events, whole.faults) == (5, ())
    with world.database.begin() as connection:
        tamper(connection)
    found = {
        change: ["event 3 was changed or put there"],
        drop: ["event 3 is missing"],
        drop_last: ["the chain ends with event 4"],
        reorder: [f"event {number} was changed or put there" for number in (2, 3, 4)],
    }[tamper]
    faults = verify_chain(world.database, "acme").faults
    assert [fault.split(",")[0] for fault in faults] == found
