"""Answers the RPCs of the audit log: decode, one read, encode."""

from __future__ import annotations

from typing import Any

import grpc.aio
from sqlalchemy.engine import Engine

from headshots.rpc.auth import current_tenant
from headshots.threads import in_write_thread
from headshots.v1 import audit_events_pb2, audit_events_pb2_grpc
from services.gateway.api.pages import DEFAULT_PAGE
from services.gateway.audit import convert, rows
from services.gateway.audit.log import AuditLog


class AuditEventServicer(audit_events_pb2_grpc.AuditEventServiceServicer):
    """Every method raises `HeadshotsError`s; the server's interceptors turn them into statuses."""

    def __init__(self, database: Engine, log: AuditLog) -> None:
        self._database = database
        self._log = log

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds the service to a server; full names of what was added."""
        audit_events_pb2_grpc.add_AuditEventServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [audit_events_pb2.DESCRIPTOR.services_by_name["AuditEventService"].full_name]

    async def ListAuditEvents(
        self, request: audit_events_pb2.ListAuditEventsRequest, context: Any
    ) -> audit_events_pb2.ListAuditEventsResponse:
        """A page of events."""
        query, size = convert.audit_query(request), request.page_size or DEFAULT_PAGE
        # What this gateway has just handed out is told too.
        await self._log.flush()
        page, token = await in_write_thread(
            rows.list_events, self._database, current_tenant(), query, size, request.page_token
        )
        return audit_events_pb2.ListAuditEventsResponse(
            audit_events=map(convert.audit_event, page), next_page_token=token
        )
