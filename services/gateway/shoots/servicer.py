"""Answers the RPCs of shoots: decode, one engine call, encode."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from headshots.rpc.auth import current_tenant
from headshots.v1 import shoots_pb2, shoots_pb2_grpc
from services.gateway.api.convert import idempotency_key
from services.gateway.api.labels import Labelling
from services.gateway.api.names import ids
from services.gateway.api.pages import DEFAULT_PAGE
from services.gateway.shoots import convert
from services.gateway.shoots.engine import ShootEngine


class ShootServicer(shoots_pb2_grpc.ShootServiceServicer):
    """Every method raises `HeadshotsError`s; the server's interceptors turn them into statuses."""

    def __init__(self, engine: ShootEngine) -> None:
        self._engine = engine

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds the service to a server; full names of what was added."""
        shoots_pb2_grpc.add_ShootServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [shoots_pb2.DESCRIPTOR.services_by_name["ShootService"].full_name]

    async def CreateShoot(self, request: shoots_pb2.CreateShootRequest, context: Any) -> shoots_pb2.CreateShootResponse:
        """Queues a shoot."""
        (subject_id,) = ids(request.parent)
        shoot = await self._engine.create(
            current_tenant(),
            subject_id,
            convert.shoot_order(request),
            key=idempotency_key(request),
            validate_only=request.validate_only,
        )
        return shoots_pb2.CreateShootResponse(shoot=convert.shoot(shoot))

    async def GetShoot(self, request: shoots_pb2.GetShootRequest, context: Any) -> shoots_pb2.GetShootResponse:
        """One shoot."""
        shoot = await self._engine.get(current_tenant(), *ids(request.name))
        return shoots_pb2.GetShootResponse(shoot=convert.shoot(shoot))

    async def ListShoots(self, request: shoots_pb2.ListShootsRequest, context: Any) -> shoots_pb2.ListShootsResponse:
        """A page of shoots."""
        (subject_id,) = ids(request.parent)
        page, token = await self._engine.page(
            current_tenant(),
            subject_id,
            Labelling.of_request(request),
            request.page_size or DEFAULT_PAGE,
            request.page_token,
        )
        return shoots_pb2.ListShootsResponse(shoots=map(convert.shoot, page), next_page_token=token)

    async def WatchShoot(
        self, request: shoots_pb2.WatchShootRequest, context: Any
    ) -> AsyncIterator[shoots_pb2.WatchShootResponse]:
        """The shoot, event by event."""
        after = request.after_event if request.HasField("after_event") else None
        watch = self._engine.watch(current_tenant(), *ids(request.name), after=after)
        async with contextlib.aclosing(watch) as events:  # type: ignore[type-var]
            async for shoot, images in events:
                yield convert.event(shoot, images)

    async def CancelShoot(self, request: shoots_pb2.CancelShootRequest, context: Any) -> shoots_pb2.CancelShootResponse:
        """Asks a shoot to stop."""
        shoot = await self._engine.cancel(current_tenant(), *ids(request.name))
        return shoots_pb2.CancelShootResponse(shoot=convert.shoot(shoot))
