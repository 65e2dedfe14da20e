"""Calls the gateway about the tenant, and about what was done to its subjects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime

from headshots.client.connection import Connection
from headshots.client.convert import subjects as convert
from headshots.client.models.audit import AuditAction, AuditEvent
from headshots.client.models.subjects import UNCHANGED, SubjectRef, Tenant, Unchanged
from headshots.client.names import Kind, resource_name, several
from headshots.v1 import audit_events_pb2, tenants_pb2


class TenantCalls(Connection):
    """The customer that the API key names."""

    async def get_tenant(self) -> Tenant:
        """The tenant that the API key names: the quickest check of a key."""
        return convert.tenant((await self._unary("GetTenant", tenants_pb2.GetTenantRequest())).tenant)

    async def update_tenant(
        self,
        *,
        retention_seconds: int | Unchanged | None = UNCHANGED,
        photo_retention_seconds: int | Unchanged | None = UNCHANGED,
        adapter_retention_seconds: int | Unchanged | None = UNCHANGED,
        image_retention_seconds: int | Unchanged | None = UNCHANGED,
    ) -> Tenant:
        """Say how long your subjects, and what they have, are kept, from their next creation or delivery on.

        Args:
            retention_seconds: of subjects after their last delivery, an hour to 400 days; None: 30 days.
            photo_retention_seconds: of photos after a delivery, 0 or an hour to 400 days; None: as long as the subject.
            adapter_retention_seconds: of adapters after they are delivered, an hour to 400 days; None: as long as the
                subject.
            image_retention_seconds: of images after their gallery has ended, as of adapters.

        Raises:
            InvalidArgumentError: RETENTION_INVALID, UPDATE_MASK_INVALID, nothing changes.
        """
        request = convert.wire_policy(
            retention_seconds=retention_seconds,
            photo_retention_seconds=photo_retention_seconds,
            adapter_retention_seconds=adapter_retention_seconds,
            image_retention_seconds=image_retention_seconds,
        )
        return convert.tenant((await self._unary("UpdateTenant", request)).tenant)

    async def list_audit_events(
        self,
        *,
        subject: SubjectRef | None = None,
        actions: Iterable[AuditAction] = (),
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        page_size: int = 0,
    ) -> AsyncIterator[AuditEvent]:
        """What was done to the tenant's subjects, newest first; pages are fetched as they are needed.

        Args:
            subject: only its events, also of one that is erased.
            actions: only these; none: all.
            start_time: only what was recorded then or later.
            end_time: only what was recorded before.
            page_size: events that one call brings, at most 1000; 0: 50.

        Raises:
            NotFoundError: this tenant has no such subject and no event of one that it had.
        """
        request = audit_events_pb2.ListAuditEventsRequest(
            subject=resource_name(subject, Kind.SUBJECT) if subject is not None else "",
            actions=[convert.wire_action(action) for action in several(actions, "actions")],
            page_size=page_size,
        )
        for field, moment in ((request.start_time, start_time), (request.end_time, end_time)):
            if moment is not None:
                field.FromDatetime(moment)
        async for item in self._pages("ListAuditEvents", request, "audit_events"):
            yield convert.audit_event(item)
