"""Callers are told what the generators' foundation can paint."""

from __future__ import annotations

from headshots.errors import InvalidArgumentError, NotFoundError, UnavailableError
from headshots.v1 import foundations_pb2
from tests.support.gateway.caller import refused
from tests.support.gateway.fake_generator import INTERVAL, NATIVE_PX, TEMPLATE
from tests.support.gateway.peer import FOUNDATION_DIGEST
from tests.support.gateway.world import World

NAME = f"foundations/{FOUNDATION_DIGEST}"


async def test_a_foundation_is_listed_and_found_by_its_digest(world: World) -> None:
    world.generator.vocabulary, world.generator.negative_prompt = {"man", "a"}, "cartoon"
    (listed,) = (await world.acme("ListFoundations", foundations_pb2.ListFoundationsRequest())).foundations
    found = (await world.acme("GetFoundation", foundations_pb2.GetFoundationRequest(name=NAME))).foundation
    assert (
        found
        == listed
        == foundations_pb2.Foundation(
            name=NAME,
            display_name="fake",
            native_width_px=NATIVE_PX,
            native_height_px=NATIVE_PX,
            min_width_px=64,
            max_width_px=1024,
            min_height_px=64,
            max_height_px=1024,
            size_multiple_px=64,
            steps=20,
            guidance_scale=2.5,
            prompt_template=TEMPLATE,
            class_nouns=["person", "man", "woman"],
            vocabulary=["a", "man"],
            window_tokens=77,
            max_rank=32,
            is_default=True,
            ready_generators=1,
            sampler="dpmpp_2m",
            digest=FOUNDATION_DIGEST,
            negative_prompt="cartoon",
            guidance_interval=INTERVAL,
        )
    )


async def test_other_foundations_and_pages_are_refused(world: World) -> None:
    with refused(NotFoundError, "FOUNDATION_NOT_FOUND"):
        await world.acme("GetFoundation", foundations_pb2.GetFoundationRequest(name=f"foundations/{'0' * 64}"))
    with refused(InvalidArgumentError, "PAGE_TOKEN_INVALID"):
        await world.acme("ListFoundations", foundations_pb2.ListFoundationsRequest(page_token="bm9uc2Vuc2U"))


async def test_without_a_generator_it_is_not_known_what_can_be_painted(world: World) -> None:
    await world.stop_peer(world.generator_port)
    with refused(UnavailableError, "GENERATOR_UNREACHABLE"):
        await world.acme("ListFoundations", foundations_pb2.ListFoundationsRequest())
    with refused(UnavailableError, "GENERATOR_UNREACHABLE"):
        await world.acme("GetFoundation", foundations_pb2.GetFoundationRequest(name=NAME))
