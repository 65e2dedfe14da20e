"""Answers the RPCs of styles: decode, one engine call, encode."""

from __future__ import annotations

from typing import Any

import grpc.aio

from headshots.rpc.auth import current_tenant
from headshots.v1 import styles_pb2, styles_pb2_grpc
from services.gateway.api.convert import idempotency_key
from services.gateway.api.labels import Labelling
from services.gateway.api.names import ids
from services.gateway.api.pages import DEFAULT_PAGE, cut_page, decode_token
from services.gateway.styles import convert
from services.gateway.styles.engine import StyleEngine
from services.gateway.styles.models import ListedStyle

_DEFAULT_CLASS_NOUN = "person"


class StyleServicer(styles_pb2_grpc.StyleServiceServicer):
    """Every method raises `HeadshotsError`s; the server's interceptors turn them into statuses."""

    def __init__(self, engine: StyleEngine) -> None:
        self._engine = engine

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds the service to a server; full names of what was added."""
        styles_pb2_grpc.add_StyleServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [styles_pb2.DESCRIPTOR.services_by_name["StyleService"].full_name]

    async def CreateStyle(self, request: styles_pb2.CreateStyleRequest, context: Any) -> styles_pb2.CreateStyleResponse:
        """Creates a style."""
        made = await self._engine.create(
            current_tenant(),
            convert.new_style(request),
            Labelling.of_request(request),
            key=idempotency_key(request),
            validate_only=request.validate_only,
        )
        return styles_pb2.CreateStyleResponse(style=convert.style(made))

    async def ListStyles(self, request: styles_pb2.ListStylesRequest, context: Any) -> styles_pb2.ListStylesResponse:
        """A page of styles."""
        size = request.page_size or DEFAULT_PAGE
        (after,) = decode_token(request.page_token, (str,)) or ("",)
        found = await self._engine.list_after(
            current_tenant(),
            Labelling.of_request(request),
            str(after),
            size + 1,
            archived=request.include_archived,
        )
        page, token = cut_page(found, size, _position)
        return styles_pb2.ListStylesResponse(styles=map(convert.style, page), next_page_token=token)

    async def GetStyle(self, request: styles_pb2.GetStyleRequest, context: Any) -> styles_pb2.GetStyleResponse:
        """One style."""
        (name,) = ids(request.name)
        found = await self._engine.get(current_tenant(), name, request.version)
        return styles_pb2.GetStyleResponse(style=convert.style(found))

    async def UpdateStyle(self, request: styles_pb2.UpdateStyleRequest, context: Any) -> styles_pb2.UpdateStyleResponse:
        """Makes a new version."""
        (name,) = ids(request.name)
        changed = await self._engine.update(
            current_tenant(), name, convert.change(request), validate_only=request.validate_only
        )
        return styles_pb2.UpdateStyleResponse(style=convert.style(changed))

    async def ArchiveStyle(
        self, request: styles_pb2.ArchiveStyleRequest, context: Any
    ) -> styles_pb2.ArchiveStyleResponse:
        """Takes a style out of use."""
        return styles_pb2.ArchiveStyleResponse(
            style=convert.style(await self._engine.archive(current_tenant(), *ids(request.name)))
        )

    async def PreviewStyle(
        self, request: styles_pb2.PreviewStyleRequest, context: Any
    ) -> styles_pb2.PreviewStyleResponse:
        """What a style becomes."""
        (name,) = ids(request.name)
        subject_id = "".join(ids(request.subject))
        class_noun = request.class_noun or _DEFAULT_CLASS_NOUN
        reading = await self._engine.preview(current_tenant(), name, request.version, subject_id, class_noun)
        return convert.preview(reading)


def _position(listed: ListedStyle) -> tuple[float | str, ...]:
    return (listed.style.name,)
