"""Answers the call about the audit log."""

from __future__ import annotations

from typing import Any

from headshots.errors import NotFoundError
from headshots.v1 import audit_events_pb2
from tests.support.fake_gateway.state import FakeState, page


class FakeAuditEvents(FakeState):
    """Tells the events that a test has recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.audit_events: list[audit_events_pb2.AuditEvent] = []

    def record(self, subject: str, action: str, **fields: Any) -> None:
        """An event, recorded as many hours after the epoch as its number tells."""
        number = len(self.audit_events) + 1
        values: dict[str, Any] = {"count": 1, "sha256": f"{number:064x}", **fields}
        event = audit_events_pb2.AuditEvent(
            name=f"auditEvents/{number}",
            subject=subject,
            action=audit_events_pb2.AuditAction.Value(f"AUDIT_ACTION_{action}"),
            **values,
        )
        event.record_time.FromSeconds(number * 3600)
        self.audit_events.append(event)

    async def ListAuditEvents(
        self, request: audit_events_pb2.ListAuditEventsRequest, context: Any
    ) -> audit_events_pb2.ListAuditEventsResponse:
        self.enter("ListAuditEvents", request)
        found = [event for event in self.audit_events[::-1] if _matches(event, request)]
        if request.subject and request.subject not in {event.subject for event in self.audit_events}:
            told = f"there is no {request.subject}"
            raise NotFoundError("SUBJECT_NOT_FOUND", told, metadata={"name": request.subject})
        events, token = page(found, request)
        return audit_events_pb2.ListAuditEventsResponse(audit_events=events, next_page_token=token)


def _matches(event: audit_events_pb2.AuditEvent, request: audit_events_pb2.ListAuditEventsRequest) -> bool:
    at = event.record_time.seconds
    return (
        request.subject in ("", event.subject)
        and (not request.actions or event.action in request.actions)
        and (not request.HasField("start_time") or at >= request.start_time.seconds)
        and (not request.HasField("end_time") or at < request.end_time.seconds)
    )
