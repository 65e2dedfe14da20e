"""Answers the calls about foundations."""

from __future__ import annotations

from typing import Any

from headshots.v1 import foundations_pb2, styles_pb2
from tests.support.fake_gateway.state import FakeState, find, page

FOUNDATION = foundations_pb2.Foundation(
    name=f"foundations/{'cd' * 32}",
    display_name="tiny",
    native_width_px=512,
    native_height_px=768,
    min_width_px=64,
    max_width_px=1024,
    min_height_px=128,
    max_height_px=2048,
    size_multiple_px=8,
    steps=20,
    guidance_scale=2.5,
    prompt_template="{subject}",
    class_nouns=["man", "woman"],
    vocabulary=["a", "man", "woman"],
    window_tokens=77,
    max_rank=16,
    is_default=True,
    ready_generators=2,
    sampler="dpmpp_2m",
    digest="cd" * 32,
    negative_prompt="cartoon",
    guidance_interval=styles_pb2.GuidanceInterval(low=0.25, high=0.75),
    head_height=0.78,
    eye_line=0.39,
)
OLDER = foundations_pb2.Foundation(name=f"foundations/{'ce' * 32}", display_name="older", digest="ce" * 32)


class FakeFoundations(FakeState):
    """Two foundations, of which nobody serves one now."""

    async def ListFoundations(
        self, request: foundations_pb2.ListFoundationsRequest, context: Any
    ) -> foundations_pb2.ListFoundationsResponse:
        self.enter("ListFoundations", request)
        items, token = page([FOUNDATION, OLDER], request)
        return foundations_pb2.ListFoundationsResponse(foundations=items, next_page_token=token)

    async def GetFoundation(
        self, request: foundations_pb2.GetFoundationRequest, context: Any
    ) -> foundations_pb2.GetFoundationResponse:
        self.enter("GetFoundation", request)
        found = find({each.name: each for each in (FOUNDATION, OLDER)}, request.name, "FOUNDATION_NOT_FOUND")
        return foundations_pb2.GetFoundationResponse(foundation=found)
