"""Tests the SDK's call about the audit log, against a gateway in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headshots.client import AsyncHeadshots, AuditAction, AuditEvent
from headshots.errors import NotFoundError
from headshots.v1 import audit_events_pb2
from tests.support.fake_gateway.gateway import FakeGateway

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def recorded(fake: FakeGateway) -> FakeGateway:
    fake.record("subjects/s0", "SUBJECT_CREATED", key_id="k1")
    fake.record("subjects/s1", "SUBJECT_CREATED", key_id="k1")
    fake.record("subjects/s0", "PAINTED", resource="subjects/s0/galleries/g/images/0")
    fake.record("subjects/s0", "IMAGE_READ", resource="subjects/s0/galleries/g/images/0", key_id="k2", count=3)
    return fake


async def numbers(client: AsyncHeadshots, **asked: Any) -> list[str]:
    return [event.name.removeprefix("auditEvents/") async for event in client.list_audit_events(**asked)]


async def test_events_are_told_newest_first_over_pages(client: AsyncHeadshots, recorded: FakeGateway) -> None:
    events = [event async for event in client.list_audit_events(page_size=3)]
    assert [event.name for event in events] == [f"auditEvents/{number}" for number in (4, 3, 2, 1)]
    assert recorded.calls["ListAuditEvents"] == 2
    image = "subjects/s0/galleries/g/images/0"
    digest = f"{4:064x}"
    at = EPOCH + timedelta(hours=4)
    assert events[0] == AuditEvent("auditEvents/4", at, "k2", "subjects/s0", AuditAction.IMAGE_READ, image, 3, digest)
    assert events[1].key_id == ""


async def test_a_list_is_of_a_subject_of_actions_and_of_a_time(client: AsyncHeadshots, recorded: FakeGateway) -> None:
    assert await numbers(client, subject="s0") == ["4", "3", "1"]
    assert await numbers(client, actions=[AuditAction.PAINTED, AuditAction.IMAGE_READ]) == ["4", "3"]
    hour = timedelta(hours=1)
    assert await numbers(client, start_time=EPOCH + 2 * hour, end_time=EPOCH + 4 * hour) == ["3", "2"]
    with pytest.raises(NotFoundError, match="SUBJECT_NOT_FOUND"):
        await numbers(client, subject="nobody")


def test_the_sdk_knows_every_action() -> None:
    names = [name.removeprefix("AUDIT_ACTION_") for name in audit_events_pb2.AuditAction.DESCRIPTOR.values_by_name]
    assert [action.name for action in AuditAction] == names[1:]
    assert [action.value for action in AuditAction] == names[1:]
