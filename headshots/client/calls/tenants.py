"""Calls the gateway about the tenant, and about what was done to its subjects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime

from headshots.client.connection import Connection
from headshots.client.convert import subjects as convert
from headshots.client.models.audit import (
    AuditAction,
    AuditEvent,
    Erasure,
    ErasureCommitment,
    ErasureKey,
    ErasureRef,
)
from headshots.client.models.subjects import UNCHANGED, SubjectRef, Tenant, Unchanged
from headshots.client.names import Kind, resource_name, several
from headshots.v1 import audit_events_pb2, erasures_pb2, tenants_pb2


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
        rights_owner: str | Unchanged | None = UNCHANGED,
        usage_terms: str | Unchanged | None = UNCHANGED,
        licence: str | Unchanged | None = UNCHANGED,
        prompts_in_images: bool | Unchanged | None = UNCHANGED,
    ) -> Tenant:
        """Say how long what is kept, from the next creation or delivery on, and what images of later galleries say.

        Args:
            retention_seconds: of subjects after their last delivery, an hour to 400 days; None: 30 days.
            photo_retention_seconds: of photos after a delivery, 0 or an hour to 400 days; None: as long as the subject.
            adapter_retention_seconds: of adapters after they are delivered, an hour to 400 days; None: as photos.
            image_retention_seconds: of images after their gallery has ended, as of adapters.
            rights_owner: who owns the images, at most 256 characters; None here and below: as the installation says.
            usage_terms: what may be done with them, at most 1024 characters.
            licence: a web page's address or a text, at most 1024 characters; empty: none.
            prompts_in_images: whether they say their prompts; None: no.

        Raises:
            InvalidArgumentError: RETENTION_INVALID; RIGHTS_INVALID; UPDATE_MASK_INVALID, nothing changes.
        """
        request = convert.wire_policy(
            retention_seconds=retention_seconds,
            photo_retention_seconds=photo_retention_seconds,
            adapter_retention_seconds=adapter_retention_seconds,
            image_retention_seconds=image_retention_seconds,
            rights_owner=rights_owner,
            usage_terms=usage_terms,
            licence=licence,
            prompts_in_images=prompts_in_images,
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

    async def get_erasure_receipt(self, erasure: ErasureRef) -> Erasure:
        """An erasure, by the name that `delete_subject` and `withdraw_consent` answer; its receipt once it is signed.

        Raises:
            NotFoundError: ERASURE_NOT_FOUND.
        """
        request = erasures_pb2.GetErasureReceiptRequest(name=resource_name(erasure, Kind.ERASURE))
        return convert.erasure((await self._unary("GetErasureReceipt", request)).erasure)

    async def list_erasure_receipts(
        self, *, subject_commitment: str = "", page_size: int = 0
    ) -> AsyncIterator[Erasure]:
        """The tenant's erasures, newest first; pages are fetched as they are needed.

        Args:
            subject_commitment: only that of the subject with this `erasure_commitment`; empty: all.
            page_size: erasures that one call brings, at most 1000; 0: 50.
        """
        request = erasures_pb2.ListErasureReceiptsRequest(subject_commitment=subject_commitment, page_size=page_size)
        async for item in self._pages("ListErasureReceipts", request, "erasures"):
            yield convert.erasure(item)

    async def list_erasure_keys(self) -> AsyncIterator[ErasureKey]:
        """The public keys that receipts are or were signed with, newest first."""
        async for item in self._pages("ListErasureKeys", erasures_pb2.ListErasureKeysRequest(), "keys"):
            yield convert.erasure_key(item)

    async def list_erasure_commitments(self, subject: SubjectRef) -> AsyncIterator[ErasureCommitment]:
        """What is committed to of a subject that is there: whoever notes it computes the roots in its receipt.

        Raises:
            NotFoundError: SUBJECT_NOT_FOUND.
        """
        request = erasures_pb2.ListErasureCommitmentsRequest(parent=resource_name(subject, Kind.SUBJECT))
        async for item in self._pages("ListErasureCommitments", request, "commitments"):
            yield convert.erasure_commitment(item)
