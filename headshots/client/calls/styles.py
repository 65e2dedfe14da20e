"""Calls the gateway about the style library."""

from __future__ import annotations

from collections.abc import AsyncIterator

from headshots.client.connection import Connection
from headshots.client.convert import styles as convert
from headshots.client.models.styles import Style
from headshots.client.names import Kind, resource_name
from headshots.v1 import styles_pb2


class StyleCalls(Connection):
    """Prompt recipes to paint with."""

    async def list_styles(self, *, page_size: int = 0) -> AsyncIterator[Style]:
        """The style library, by name."""
        request = styles_pb2.ListStylesRequest(page_size=page_size)
        async for item in self._pages("ListStyles", request, "styles"):
            yield convert.style(item)

    async def get_style(self, style: Style | str) -> Style:
        """One style, by `styles/{style}` or its bare id.

        Raises:
            NotFoundError: no such style.
        """
        request = styles_pb2.GetStyleRequest(name=resource_name(style, Kind.STYLE))
        return convert.style((await self._unary("GetStyle", request)).style)
