"""Answers the RPCs of packs from the library of built-in ones."""

from __future__ import annotations

from typing import Any

import grpc.aio

from headshots.styles.packs import Pack, PackLibrary
from headshots.v1 import packs_pb2, packs_pb2_grpc
from services.gateway.api.names import ids
from services.gateway.api.pages import DEFAULT_PAGE, cut_page, decode_token
from services.gateway.packs import convert


class PackServicer(packs_pb2_grpc.PackServiceServicer):
    """Every method raises `HeadshotsError`s; the server's interceptors turn them into statuses."""

    def __init__(self, library: PackLibrary) -> None:
        self._library = library

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds the service to a server; full names of what was added."""
        packs_pb2_grpc.add_PackServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [packs_pb2.DESCRIPTOR.services_by_name["PackService"].full_name]

    async def ListPacks(self, request: packs_pb2.ListPacksRequest, context: Any) -> packs_pb2.ListPacksResponse:
        """A page of packs."""
        after = decode_token(request.page_token, (str,))
        rest = [pack for pack in self._library if after is None or _position(pack) > after]
        page, token = cut_page(rest, request.page_size or DEFAULT_PAGE, _position)
        return packs_pb2.ListPacksResponse(packs=map(convert.pack, page), next_page_token=token)

    async def GetPack(self, request: packs_pb2.GetPackRequest, context: Any) -> packs_pb2.GetPackResponse:
        """One pack."""
        return packs_pb2.GetPackResponse(pack=convert.pack(self._library.get(*ids(request.name))))


def _position(pack: Pack) -> tuple[float | str, ...]:
    return (pack.name,)
