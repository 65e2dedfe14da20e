"""Answers the RPCs of looks: decode, one engine call, encode."""

from __future__ import annotations

from typing import Any

import grpc.aio

from headshots.rpc.auth import current_tenant
from headshots.v1 import looks_pb2, looks_pb2_grpc
from services.gateway.api.convert import idempotency_key
from services.gateway.api.labels import Labelling
from services.gateway.api.names import ids
from services.gateway.api.pages import DEFAULT_PAGE, cut_page, decode_token
from services.gateway.looks import convert
from services.gateway.looks.engine import LookEngine
from services.gateway.looks.models import ListedLook


class LookServicer(looks_pb2_grpc.LookServiceServicer):
    """Every method raises `HeadshotsError`s; the server's interceptors turn them into statuses."""

    def __init__(self, engine: LookEngine) -> None:
        self._engine = engine

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds the service to a server; full names of what was added."""
        looks_pb2_grpc.add_LookServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [looks_pb2.DESCRIPTOR.services_by_name["LookService"].full_name]

    async def CreateLook(self, request: looks_pb2.CreateLookRequest, context: Any) -> looks_pb2.CreateLookResponse:
        """Creates a look."""
        frame = await self._engine.frame(convert.asked_frame(request.frame))
        made = await self._engine.create(
            current_tenant(),
            convert.new_look(request, frame),
            Labelling.of_request(request),
            key=idempotency_key(request),
            validate_only=request.validate_only,
        )
        return looks_pb2.CreateLookResponse(look=convert.look(made))

    async def ListLooks(self, request: looks_pb2.ListLooksRequest, context: Any) -> looks_pb2.ListLooksResponse:
        """A page of looks."""
        size = request.page_size or DEFAULT_PAGE
        (after,) = decode_token(request.page_token, (str,)) or ("",)
        wanted = Labelling.of_request(request)
        found = await self._engine.list_after(
            current_tenant(), wanted, str(after), size + 1, archived=request.include_archived
        )
        page, token = cut_page(found, size, _position)
        return looks_pb2.ListLooksResponse(looks=map(convert.look, page), next_page_token=token)

    async def GetLook(self, request: looks_pb2.GetLookRequest, context: Any) -> looks_pb2.GetLookResponse:
        """One look."""
        (name,) = ids(request.name)
        found = await self._engine.get(current_tenant(), name, request.version)
        return looks_pb2.GetLookResponse(look=convert.look(found))

    async def UpdateLook(self, request: looks_pb2.UpdateLookRequest, context: Any) -> looks_pb2.UpdateLookResponse:
        """Makes a new version."""
        (name,) = ids(request.name)
        now = await self._engine.get(current_tenant(), name, 0)
        asked = request.HasField("frame")
        frame = await self._engine.frame(convert.asked_frame(request.frame)) if asked else None
        changed = await self._engine.update(
            current_tenant(), name, convert.change(request, now.look, frame), validate_only=request.validate_only
        )
        return looks_pb2.UpdateLookResponse(look=convert.look(changed))

    async def ArchiveLook(self, request: looks_pb2.ArchiveLookRequest, context: Any) -> looks_pb2.ArchiveLookResponse:
        """Takes a look out of use."""
        archived = await self._engine.archive(current_tenant(), *ids(request.name))
        return looks_pb2.ArchiveLookResponse(look=convert.look(archived))


def _position(listed: ListedLook) -> tuple[float | str, ...]:
    return (listed.look.name,)
