"""Packs are listed and found; all their styles can be ordered."""

from __future__ import annotations

from headshots.errors import InvalidArgumentError, NotFoundError
from headshots.v1 import packs_pb2
from tests.support.gateway.caller import refused
from tests.support.gateway.world import World


async def test_packs_are_listed_by_page_and_found(world: World) -> None:
    first = await world.acme("ListPacks", packs_pb2.ListPacksRequest(page_size=1))
    rest = await world.acme("ListPacks", packs_pb2.ListPacksRequest(page_token=first.next_page_token))
    packs = [*first.packs, *rest.packs]
    assert [pack.name for pack in packs] == ["packs/business", "packs/easy-going"]
    assert rest.next_page_token == ""
    found = (await world.acme("GetPack", packs_pb2.GetPackRequest(name="packs/business"))).pack
    assert found == packs[0]
    assert found.styles[0] == packs_pb2.PackStyle(style="styles/studio-navy-suit", shots=8)
    assert found.total_shots == sum(style.shots for style in found.styles) == 20


async def test_other_packs_and_pages_are_refused(world: World) -> None:
    with refused(NotFoundError, "PACK_NOT_FOUND"):
        await world.acme("GetPack", packs_pb2.GetPackRequest(name="packs/none"))
    with refused(InvalidArgumentError, "PAGE_TOKEN_INVALID"):
        await world.acme("ListPacks", packs_pb2.ListPacksRequest(page_token="bm9uc2Vuc2U"))
