"""Asks a gateway for its audit log."""

from __future__ import annotations

from typing import Any

from headshots.v1 import audit_events_pb2
from tests.support.gateway.caller import Caller


async def events_of(caller: Caller, **asked: Any) -> list[audit_events_pb2.AuditEvent]:
    """All events that a list has, oldest first."""
    request = audit_events_pb2.ListAuditEventsRequest(**{"page_size": 1000, **asked})
    answer = await caller("ListAuditEvents", request)
    assert not answer.next_page_token
    return list(answer.audit_events)[::-1]


def action_of(event: audit_events_pb2.AuditEvent) -> str:
    """What was done, as IMAGE_READ."""
    return audit_events_pb2.AuditAction.Name(event.action).removeprefix("AUDIT_ACTION_")


async def actions_of(caller: Caller, **asked: Any) -> list[str]:
    """What was done, oldest first."""
    return [action_of(event) for event in await events_of(caller, **asked)]
