"""Answers the calls about styles."""

from __future__ import annotations

from typing import Any

from headshots.v1 import styles_pb2
from tests.support.fake_gateway.state import FakeState, find, page

STYLES = ("outdoor-park", "studio-grey-blazer", "studio-navy-suit")


class FakeStyles(FakeState):
    """A library of three styles."""

    async def ListStyles(self, request: styles_pb2.ListStylesRequest, context: Any) -> styles_pb2.ListStylesResponse:
        self.enter("ListStyles", request)
        items, token = page([_style(each) for each in STYLES], request)
        return styles_pb2.ListStylesResponse(styles=items, next_page_token=token)

    async def GetStyle(self, request: styles_pb2.GetStyleRequest, context: Any) -> styles_pb2.GetStyleResponse:
        self.enter("GetStyle", request)
        names = {f"styles/{each}": each for each in STYLES}
        return styles_pb2.GetStyleResponse(style=_style(find(names, request.name, "STYLE_NOT_FOUND")))


def _style(style: str) -> styles_pb2.Style:
    outfit = style.rpartition("-")[0]
    return styles_pb2.Style(
        name=f"styles/{style}",
        display_name=style.replace("-", " ").capitalize(),
        description=f"A portrait in {outfit}.",
        version=1,
        outfit=outfit,
        backdrop="a grey backdrop",
        lighting="soft light",
        framing="head and shoulders",
    )
