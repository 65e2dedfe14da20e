"""The audit log is listed by subject, action and time, to its own tenant, and outlives its subjects until its term."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from headshots import schema
from headshots.audit.verifying import verify_chain
from headshots.database import database_now
from headshots.errors import InvalidArgumentError, NotFoundError
from headshots.v1 import audit_events_pb2, subjects_pb2
from tests.support.gateway.audit import action_of, actions_of, events_of
from tests.support.gateway.caller import refused, selfie
from tests.support.gateway.world import World
from tests.support.waiting import until

DAY = 86400.0
BEGUN = ["SUBJECT_CREATED", "CONSENT_GIVEN"]


async def test_a_list_is_of_one_subject(world: World) -> None:
    first, second = await world.acme.subject(), await world.acme.subject()
    await world.acme.upload(first, selfie(1))
    assert await actions_of(world.acme, subject=first) == [*BEGUN, "PHOTOS_UPLOADED"]
    assert await actions_of(world.acme, subject=second) == BEGUN
    assert {event.subject for event in await events_of(world.acme, subject=second)} == {second}
    assert len(await events_of(world.acme)) == 5


async def test_a_list_is_of_some_actions(world: World) -> None:
    subject = await world.acme.subject()
    await world.acme.upload(subject, selfie(1))
    asked = ["AUDIT_ACTION_PHOTOS_UPLOADED", "AUDIT_ACTION_SUBJECT_CREATED"]
    assert await actions_of(world.acme, actions=asked) == ["SUBJECT_CREATED", "PHOTOS_UPLOADED"]


async def test_a_list_is_of_a_time(world: World) -> None:
    for _ in range(3):
        await world.acme.subject(consent=None)
    await events_of(world.acme)
    with world.database.begin() as connection:
        # The clock of SQLite has milliseconds: some apart.
        later = schema.audit_events.c.at + schema.audit_events.c.number / 8.0
        connection.execute(sa.update(schema.audit_events).values(at=later))
    first, second, third = await events_of(world.acme)
    # At a time or later, and before one.
    assert await events_of(world.acme, start_time=second.record_time) == [second, third]
    assert await events_of(world.acme, end_time=second.record_time) == [first]
    assert await events_of(world.acme, start_time=second.record_time, end_time=third.record_time) == [second]


async def test_pages_hold_while_the_log_grows(world: World) -> None:
    for _ in range(5):
        await world.acme.subject(consent=None)
    names, token = [], ""
    while True:
        request = audit_events_pb2.ListAuditEventsRequest(page_size=2, page_token=token)
        answer = await world.acme("ListAuditEvents", request)
        names += [event.name for event in answer.audit_events]
        if not (token := answer.next_page_token):
            break
        await world.acme.subject(consent=None)
    assert names == [f"auditEvents/{number}" for number in (5, 4, 3, 2, 1)]
    with refused(InvalidArgumentError, "PAGE_TOKEN_INVALID"):
        await events_of(world.acme, page_token="x")


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": "s1"},
        {"actions": [0]},
        {"actions": [1, 1]},
        {"actions": [999]},
        {"page_size": 1001},
        {"start_time": {"seconds": 10**12}},
        {"end_time": {"nanos": -1}},
    ],
    ids=str,
)
async def test_what_breaks_a_constraint_is_refused(wrong: dict[str, object], world: World) -> None:
    with refused(InvalidArgumentError, "CONSTRAINT_VIOLATED"):
        await events_of(world.acme, **wrong)


async def test_no_tenant_sees_anothers(world: World) -> None:
    globex = world.caller(world.keys["globex"])
    subject, other = await world.acme.subject(), await globex.subject()
    assert {event.subject for event in await events_of(world.acme)} == {subject}
    assert [event.name for event in await events_of(globex)] == ["auditEvents/1", "auditEvents/2"]
    for nobodys in (other, "subjects/nobody"):
        with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
            await events_of(world.acme, subject=nobodys)


async def test_a_subject_without_events_is_found(world: World) -> None:
    """One that is older than the log, or whose events have left it."""
    subject = await world.acme.subject()
    await events_of(world.acme)
    with world.database.begin() as connection:
        connection.execute(sa.delete(schema.audit_events))
    assert await events_of(world.acme, subject=subject) == []


async def test_events_outlive_their_subject_until_their_own_term(world: World) -> None:
    await world.kill()
    await world.start(erase_again_seconds=0.1)
    await world.acme.subject()
    erased = await world.acme.subject(display_name="Ada Lovelace")
    await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=erased))
    await until(lambda: len(world.rows(schema.subjects)) == 1)
    found = await events_of(world.acme, subject=erased)
    assert [action_of(event) for event in found] == [*BEGUN, "SUBJECT_DELETED", "SUBJECT_ERASED"]
    assert "Ada" not in repr(found)
    await world.kill()
    with world.database.begin() as connection:
        for newest, days in ((4, 2), (2, 4)):
            old = schema.audit_events.c.number <= newest
            at = database_now(connection) - days * DAY
            connection.execute(sa.update(schema.audit_events).where(old).values(at=at))
    for keep_days, left in ((3, [3, 4, 5, 6]), (1, [5, 6])):
        await world.start(audit_keep_days=keep_days)
        await until(lambda left=left: len(world.rows(schema.audit_events)) <= len(left))
        assert [event.name for event in await events_of(world.acme)] == [f"auditEvents/{number}" for number in left]
        await world.kill()
    report = verify_chain(world.database, "acme")
    assert (report.events, report.checkpoint.number, report.head.number, report.faults) == (2, 4, 6, ())
    await world.start()
    assert await actions_of(world.acme, subject=erased) == ["SUBJECT_DELETED", "SUBJECT_ERASED"]
    await world.acme.subject()
    assert [event.name for event in await events_of(world.acme)][-1] == "auditEvents/8"
    assert verify_chain(world.database, "acme").faults == ()
