"""Answers the RPCs of erasures: decode, one read, encode."""

from __future__ import annotations

from typing import Any

import grpc.aio
from sqlalchemy.engine import Engine

from headshots.rpc.auth import current_tenant
from headshots.threads import in_read_thread
from headshots.v1 import erasures_pb2, erasures_pb2_grpc
from services.gateway.api.names import ids
from services.gateway.api.pages import DEFAULT_PAGE
from services.gateway.erasures import convert, rows
from services.gateway.erasures.commitments import list_commitments


class ErasureServicer(erasures_pb2_grpc.ErasureServiceServicer):
    """Every method raises `HeadshotsError`s; the server's interceptors turn them into statuses."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds the service to a server; full names of what was added."""
        erasures_pb2_grpc.add_ErasureServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [erasures_pb2.DESCRIPTOR.services_by_name["ErasureService"].full_name]

    async def GetErasureReceipt(
        self, request: erasures_pb2.GetErasureReceiptRequest, context: Any
    ) -> erasures_pb2.GetErasureReceiptResponse:
        """One erasure with its receipt."""
        found = await in_read_thread(rows.get_erasure, self._database, current_tenant(), *ids(request.name))
        return erasures_pb2.GetErasureReceiptResponse(erasure=convert.erasure(found))

    async def ListErasureReceipts(
        self, request: erasures_pb2.ListErasureReceiptsRequest, context: Any
    ) -> erasures_pb2.ListErasureReceiptsResponse:
        """A page of erasures with their receipts."""
        tenant, size = current_tenant(), request.page_size or DEFAULT_PAGE
        page, token = await in_read_thread(
            rows.list_erasures, self._database, tenant, request.subject_commitment, size, request.page_token
        )
        return erasures_pb2.ListErasureReceiptsResponse(erasures=map(convert.erasure, page), next_page_token=token)

    async def ListErasureKeys(
        self, request: erasures_pb2.ListErasureKeysRequest, context: Any
    ) -> erasures_pb2.ListErasureKeysResponse:
        """A page of public keys."""
        page, token = await in_read_thread(
            rows.list_keys, self._database, request.page_size or DEFAULT_PAGE, request.page_token
        )
        return erasures_pb2.ListErasureKeysResponse(keys=map(convert.key, page), next_page_token=token)

    async def ListErasureCommitments(
        self, request: erasures_pb2.ListErasureCommitmentsRequest, context: Any
    ) -> erasures_pb2.ListErasureCommitmentsResponse:
        """A page of commitments."""
        (subject_id,), size = ids(request.parent), request.page_size or DEFAULT_PAGE
        page, token = await in_read_thread(
            list_commitments, self._database, current_tenant(), subject_id, size, request.page_token
        )
        return erasures_pb2.ListErasureCommitmentsResponse(
            commitments=map(convert.commitment, page), next_page_token=token
        )
