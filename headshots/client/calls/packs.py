"""Calls the gateway about packs of styles."""

from __future__ import annotations

from collections.abc import AsyncIterator

from headshots.client.connection import Connection
from headshots.client.convert import packs as convert
from headshots.client.models.packs import Pack
from headshots.client.names import Kind, resource_name
from headshots.v1 import packs_pb2


class PackCalls(Connection):
    """Styles that are ordered together."""

    async def list_packs(self, *, page_size: int = 0) -> AsyncIterator[Pack]:
        """The packs of built-in styles, by name."""
        async for item in self._pages("ListPacks", packs_pb2.ListPacksRequest(page_size=page_size), "packs"):
            yield convert.pack(item)

    async def get_pack(self, pack: Pack | str) -> Pack:
        """One pack, by `packs/{pack}` or its bare id.

        Raises:
            NotFoundError: no such pack.
        """
        request = packs_pb2.GetPackRequest(name=resource_name(pack, Kind.PACK))
        return convert.pack((await self._unary("GetPack", request)).pack)
