"""Calls the gateway about the tenant."""

from __future__ import annotations

from headshots.client.connection import Connection
from headshots.client.convert import subjects as convert
from headshots.client.models.subjects import Tenant
from headshots.v1 import tenants_pb2


class TenantCalls(Connection):
    """The customer that the API key names."""

    async def get_tenant(self) -> Tenant:
        """The tenant that the API key names: the quickest check of a key."""
        return convert.tenant((await self._unary("GetTenant", tenants_pb2.GetTenantRequest())).tenant)
