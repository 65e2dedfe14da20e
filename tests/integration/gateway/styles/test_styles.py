"""Styles are listed and found."""

from __future__ import annotations

from headshots.errors import (
    NotFoundError,
)
from headshots.v1 import styles_pb2
from tests.support.gateway.caller import refused
from tests.support.gateway.world import World


async def test_styles_are_listed_by_page_and_found(world: World) -> None:
    whole = (await world.acme("ListStyles", styles_pb2.ListStylesRequest())).styles
    assert len(whole) >= 8
    assert [style.name for style in whole] == sorted(style.name for style in whole)
    page = await world.acme("ListStyles", styles_pb2.ListStylesRequest(page_size=5))
    rest = await world.acme("ListStyles", styles_pb2.ListStylesRequest(page_token=page.next_page_token))
    assert [*page.styles, *rest.styles] == list(whole)
    assert rest.next_page_token == ""
    style = (await world.acme("GetStyle", styles_pb2.GetStyleRequest(name="styles/studio-navy-suit"))).style
    assert (style.recipe.outfit, style.version, style.built_in) == ("navy suit", 1, True)
    with refused(NotFoundError, "STYLE_NOT_FOUND"):
        await world.acme("GetStyle", styles_pb2.GetStyleRequest(name="styles/none"))
