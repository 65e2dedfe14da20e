"""Answers the RPCs of styles from the style library."""

from __future__ import annotations

from typing import Any

import grpc.aio

from headshots.styles.library import StyleLibrary
from headshots.styles.recipe import Style
from headshots.v1 import styles_pb2, styles_pb2_grpc
from services.gateway.api.names import ids
from services.gateway.api.pages import DEFAULT_PAGE, cut_page, decode_token
from services.gateway.styles import convert


class StyleServicer(styles_pb2_grpc.StyleServiceServicer):
    """Every method raises `HeadshotsError`s; the server's interceptors turn them into statuses."""

    def __init__(self, library: StyleLibrary) -> None:
        self._library = library

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds the service to a server; full names of what was added."""
        styles_pb2_grpc.add_StyleServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [styles_pb2.DESCRIPTOR.services_by_name["StyleService"].full_name]

    async def ListStyles(self, request: styles_pb2.ListStylesRequest, context: Any) -> styles_pb2.ListStylesResponse:
        """A page of styles."""
        size = request.page_size or DEFAULT_PAGE
        after = decode_token(request.page_token, (str,))
        rest = [style for style in self._library if after is None or (style.name,) > after]
        page, token = cut_page(rest[: size + 1], size, _position)
        return styles_pb2.ListStylesResponse(styles=map(convert.style, page), next_page_token=token)

    async def GetStyle(self, request: styles_pb2.GetStyleRequest, context: Any) -> styles_pb2.GetStyleResponse:
        """One style."""
        return styles_pb2.GetStyleResponse(style=convert.style(self._library.get(*ids(request.name))))


def _position(style: Style) -> tuple[float | str, ...]:
    return (style.name,)
