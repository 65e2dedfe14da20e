"""Converts audit events to protobuf, and what a list asks for from it."""

from __future__ import annotations

from headshots.v1 import audit_events_pb2
from services.gateway.api.convert import seconds_of, timestamp
from services.gateway.api.names import audit_event_name, ids, subject_name
from services.gateway.audit.models import Action, AuditEvent, AuditQuery

_PREFIX = "AUDIT_ACTION_"


def audit_event(value: AuditEvent) -> audit_events_pb2.AuditEvent:
    """An event."""
    return audit_events_pb2.AuditEvent(
        name=audit_event_name(value.number),
        record_time=timestamp(value.at),
        key_id=value.key_id,
        subject=subject_name(value.subject_id),
        action=f"{_PREFIX}{value.action.name}",
        resource=value.resource,
        count=value.count,
        sha256=value.sha256,
    )


def audit_query(request: audit_events_pb2.ListAuditEventsRequest) -> AuditQuery:
    """What a list asks for.

    Raises:
        InvalidArgumentError: CONSTRAINT_VIOLATED, a time is no timestamp.
    """
    return AuditQuery(
        subject_id=ids(request.subject)[0] if request.subject else None,
        actions=frozenset(_action(each) for each in request.actions),
        start=seconds_of(request, "start_time"),
        end=seconds_of(request, "end_time"),
    )


def _action(value: audit_events_pb2.AuditAction) -> Action:
    return Action[audit_events_pb2.AuditAction.Name(value).removeprefix(_PREFIX)]
