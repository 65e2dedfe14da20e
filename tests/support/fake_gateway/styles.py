"""Answers the calls about styles."""

from __future__ import annotations

from typing import Any

from headshots.errors import FailedPreconditionError
from headshots.v1 import styles_pb2
from tests.support.fake_gateway.state import FakeState, find, labelled, page

STYLES = ("outdoor-park", "studio-grey-blazer", "studio-navy-suit")


class FakeStyles(FakeState):
    """A library of three styles, and those that the tenant makes."""

    def __init__(self) -> None:
        super().__init__()
        self.styles = {f"styles/{each}": _style(each) for each in STYLES}

    async def CreateStyle(self, request: styles_pb2.CreateStyleRequest, context: Any) -> styles_pb2.CreateStyleResponse:
        self.enter("CreateStyle", request)
        style = styles_pb2.Style(
            name=f"styles/{request.style_id}",
            display_name=request.display_name or request.style_id,
            description=request.description,
            version=1,
            recipe=request.recipe,
            **labelled(request),
        )
        style.create_time.GetCurrentTime()
        if not request.validate_only:
            self.styles[style.name] = style
        return styles_pb2.CreateStyleResponse(style=style)

    async def ListStyles(self, request: styles_pb2.ListStylesRequest, context: Any) -> styles_pb2.ListStylesResponse:
        self.enter("ListStyles", request)
        shown = [each for each in self.styles.values() if request.include_archived or not each.archived]
        items, token = page(sorted(shown, key=lambda style: str(style.name)), request)
        return styles_pb2.ListStylesResponse(styles=items, next_page_token=token)

    async def GetStyle(self, request: styles_pb2.GetStyleRequest, context: Any) -> styles_pb2.GetStyleResponse:
        self.enter("GetStyle", request)
        return styles_pb2.GetStyleResponse(style=find(self.styles, request.name, "STYLE_NOT_FOUND"))

    async def UpdateStyle(self, request: styles_pb2.UpdateStyleRequest, context: Any) -> styles_pb2.UpdateStyleResponse:
        self.enter("UpdateStyle", request)
        changed = styles_pb2.Style()
        changed.CopyFrom(self._own(request.name))
        changed.version += 1
        if request.HasField("recipe"):
            changed.recipe.CopyFrom(request.recipe)
        if request.HasField("display_name"):
            changed.display_name = request.display_name
        if request.HasField("description"):
            changed.description = request.description
        if not request.validate_only:
            self.styles[request.name] = changed
        return styles_pb2.UpdateStyleResponse(style=changed)

    async def ArchiveStyle(
        self, request: styles_pb2.ArchiveStyleRequest, context: Any
    ) -> styles_pb2.ArchiveStyleResponse:
        self.enter("ArchiveStyle", request)
        self._own(request.name).archived = True
        return styles_pb2.ArchiveStyleResponse(style=self.styles[request.name])

    async def PreviewStyle(
        self, request: styles_pb2.PreviewStyleRequest, context: Any
    ) -> styles_pb2.PreviewStyleResponse:
        self.enter("PreviewStyle", request)
        recipe = find(self.styles, request.name, "STYLE_NOT_FOUND").recipe
        return styles_pb2.PreviewStyleResponse(
            prompt=f"photo of {request.subject or request.class_noun} in {recipe.outfit}",
            negative_prompt=recipe.negative_prompt,
            width_px=512,
            height_px=768,
            steps=20,
            guidance_scale=2.5,
            tokens=90,
            window_tokens=77,
            lost="turquoise wall",
            unknown_words=["turquoise"],
            guidance_interval=styles_pb2.GuidanceInterval(low=0.25, high=0.75),
        )

    def _own(self, name: str) -> styles_pb2.Style:
        style: styles_pb2.Style = find(self.styles, name, "STYLE_NOT_FOUND")
        if style.built_in:
            raise FailedPreconditionError("STYLE_BUILT_IN", f"{name} is built in", metadata={"name": name})
        return style


def _style(style: str) -> styles_pb2.Style:
    outfit = style.rpartition("-")[0]
    return styles_pb2.Style(
        name=f"styles/{style}",
        display_name=style.replace("-", " ").capitalize(),
        description=f"A portrait in {outfit}.",
        version=1,
        recipe=styles_pb2.StyleRecipe(
            outfit=outfit, backdrop="a grey backdrop", lighting="soft light", framing="head and shoulders"
        ),
        built_in=True,
    )
