"""Answers the RPCs of foundations from what the pools say that they run."""

from __future__ import annotations

from typing import Any

import grpc.aio

from headshots.v1 import foundations_pb2, foundations_pb2_grpc
from services.gateway.api.errors import not_found
from services.gateway.api.names import ids
from services.gateway.api.pages import DEFAULT_PAGE, cut_page, decode_token
from services.gateway.foundations import convert
from services.gateway.peers.pools.models import Served
from services.gateway.peers.pools.pools import Pools


class FoundationServicer(foundations_pb2_grpc.FoundationServiceServicer):
    """Every method raises `HeadshotsError`s; the server's interceptors turn them into statuses."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds the service to a server; full names of what was added."""
        foundations_pb2_grpc.add_FoundationServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [foundations_pb2.DESCRIPTOR.services_by_name["FoundationService"].full_name]

    async def ListFoundations(
        self, request: foundations_pb2.ListFoundationsRequest, context: Any
    ) -> foundations_pb2.ListFoundationsResponse:
        """A page of foundations."""
        after = decode_token(request.page_token, (str,))
        found = [each for each in await self._pools.served() if after is None or _position(each) > after]
        page, token = cut_page(found, request.page_size or DEFAULT_PAGE, _position)
        return foundations_pb2.ListFoundationsResponse(foundations=map(convert.foundation, page), next_page_token=token)

    async def GetFoundation(
        self, request: foundations_pb2.GetFoundationRequest, context: Any
    ) -> foundations_pb2.GetFoundationResponse:
        """One foundation."""
        (digest,) = ids(request.name)
        for each in await self._pools.served():
            if each.description.foundation_digest == digest:
                return foundations_pb2.GetFoundationResponse(foundation=convert.foundation(each))
        raise not_found("FOUNDATION_NOT_FOUND", request.name, listed_by="ListFoundations")


def _position(served: Served) -> tuple[float | str, ...]:
    return (served.description.foundation_digest,)
