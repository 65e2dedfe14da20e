"""Answers the RPCs of packs: decode, one engine call, encode."""

from __future__ import annotations

from typing import Any

import grpc.aio

from headshots.rpc.auth import current_tenant
from headshots.v1 import packs_pb2, packs_pb2_grpc
from services.gateway.api.convert import idempotency_key
from services.gateway.api.labels import Labelling
from services.gateway.api.names import ids
from services.gateway.api.pages import DEFAULT_PAGE, cut_page, decode_token
from services.gateway.packs import convert
from services.gateway.packs.engine import PackEngine
from services.gateway.packs.models import ListedPack


class PackServicer(packs_pb2_grpc.PackServiceServicer):
    """Every method raises `HeadshotsError`s; the server's interceptors turn them into statuses."""

    def __init__(self, engine: PackEngine) -> None:
        self._engine = engine

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds the service to a server; full names of what was added."""
        packs_pb2_grpc.add_PackServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [packs_pb2.DESCRIPTOR.services_by_name["PackService"].full_name]

    async def CreatePack(self, request: packs_pb2.CreatePackRequest, context: Any) -> packs_pb2.CreatePackResponse:
        """Creates a pack."""
        made = await self._engine.create(
            current_tenant(),
            convert.new_pack(request),
            Labelling.of_request(request),
            key=idempotency_key(request),
            validate_only=request.validate_only,
        )
        return packs_pb2.CreatePackResponse(pack=convert.pack(made))

    async def ListPacks(self, request: packs_pb2.ListPacksRequest, context: Any) -> packs_pb2.ListPacksResponse:
        """A page of packs."""
        size = request.page_size or DEFAULT_PAGE
        (after,) = decode_token(request.page_token, (str,)) or ("",)
        wanted = Labelling.of_request(request)
        found = await self._engine.list_after(
            current_tenant(), wanted, str(after), size + 1, archived=request.include_archived
        )
        page, token = cut_page(found, size, _position)
        return packs_pb2.ListPacksResponse(packs=map(convert.pack, page), next_page_token=token)

    async def GetPack(self, request: packs_pb2.GetPackRequest, context: Any) -> packs_pb2.GetPackResponse:
        """One pack."""
        (name,) = ids(request.name)
        found = await self._engine.get(current_tenant(), name, request.version)
        return packs_pb2.GetPackResponse(pack=convert.pack(found))

    async def UpdatePack(self, request: packs_pb2.UpdatePackRequest, context: Any) -> packs_pb2.UpdatePackResponse:
        """Makes a new version."""
        (name,) = ids(request.name)
        changed = await self._engine.update(
            current_tenant(), name, convert.change(request), validate_only=request.validate_only
        )
        return packs_pb2.UpdatePackResponse(pack=convert.pack(changed))

    async def ArchivePack(self, request: packs_pb2.ArchivePackRequest, context: Any) -> packs_pb2.ArchivePackResponse:
        """Takes a pack out of use."""
        archived = await self._engine.archive(current_tenant(), *ids(request.name))
        return packs_pb2.ArchivePackResponse(pack=convert.pack(archived))


def _position(listed: ListedPack) -> tuple[float | str, ...]:
    return (listed.pack.name,)
