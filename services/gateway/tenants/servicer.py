"""Answers the RPCs of tenants: decode, one query, encode."""

from __future__ import annotations

from typing import Any

import grpc.aio
from sqlalchemy.engine import Engine

from headshots.rpc.auth import current_tenant
from headshots.threads import in_read_thread, in_write_thread
from headshots.v1 import tenants_pb2, tenants_pb2_grpc
from services.gateway.tenants import convert, rows


class TenantServicer(tenants_pb2_grpc.TenantServiceServicer):
    """Every method raises `HeadshotsError`s; the server's interceptors turn them into statuses."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds the service to a server; full names of what was added."""
        tenants_pb2_grpc.add_TenantServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [tenants_pb2.DESCRIPTOR.services_by_name["TenantService"].full_name]

    async def GetTenant(self, request: tenants_pb2.GetTenantRequest, context: Any) -> tenants_pb2.GetTenantResponse:
        """The tenant of the key."""
        tenant = await in_read_thread(rows.get_tenant, self._database, current_tenant())
        return tenants_pb2.GetTenantResponse(tenant=convert.tenant(tenant))

    async def UpdateTenant(
        self, request: tenants_pb2.UpdateTenantRequest, context: Any
    ) -> tenants_pb2.UpdateTenantResponse:
        """Changes how long subjects are kept."""
        change = convert.policy_change(request)
        tenant = await in_write_thread(rows.change_policy, self._database, current_tenant(), change)
        return tenants_pb2.UpdateTenantResponse(tenant=convert.tenant(tenant))
