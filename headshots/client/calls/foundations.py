"""Calls the gateway about foundations."""

from __future__ import annotations

from collections.abc import AsyncIterator

from headshots.client.connection import Connection
from headshots.client.convert import foundations as convert
from headshots.client.models.foundations import Foundation, FoundationRef
from headshots.client.names import Kind, resource_name
from headshots.v1 import foundations_pb2


class FoundationCalls(Connection):
    """What the installation can paint."""

    async def list_foundations(self, *, page_size: int = 0) -> AsyncIterator[Foundation]:
        """The foundations that generators run, those whose generators are away included.

        Raises:
            UnavailableError: no generator answers.
        """
        request = foundations_pb2.ListFoundationsRequest(page_size=page_size)
        async for item in self._pages("ListFoundations", request, "foundations"):
            yield convert.foundation(item)

    async def get_foundation(self, foundation: FoundationRef) -> Foundation:
        """One foundation, by `foundations/{foundation}` or its digest, as `Adapter.foundation_digest` tells it.

        Raises:
            NotFoundError: no generator runs it.
            UnavailableError: no generator answers.
        """
        request = foundations_pb2.GetFoundationRequest(name=resource_name(foundation, Kind.FOUNDATION))
        return convert.foundation((await self._unary("GetFoundation", request)).foundation)
