"""Answers the calls about packs."""

from __future__ import annotations

from typing import Any

from headshots.v1 import packs_pb2
from tests.support.fake_gateway.state import FakeState, find, page

PACK = packs_pb2.Pack(
    name="packs/business",
    display_name="Business",
    description="Suits.",
    styles=[packs_pb2.PackStyle(style="styles/studio-navy-suit", shots=8)],
    total_shots=8,
)


class FakePacks(FakeState):
    """One pack."""

    async def ListPacks(self, request: packs_pb2.ListPacksRequest, context: Any) -> packs_pb2.ListPacksResponse:
        self.enter("ListPacks", request)
        items, token = page([PACK], request)
        return packs_pb2.ListPacksResponse(packs=items, next_page_token=token)

    async def GetPack(self, request: packs_pb2.GetPackRequest, context: Any) -> packs_pb2.GetPackResponse:
        self.enter("GetPack", request)
        return packs_pb2.GetPackResponse(pack=find({PACK.name: PACK}, request.name, "PACK_NOT_FOUND"))
