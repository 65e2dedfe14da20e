"""Orders shoots as a tenant does, over real gRPC."""

from __future__ import annotations

from typing import Any

from headshots.v1 import galleries_pb2, shoots_pb2
from tests.support.gateway.caller import Caller
from tests.support.gateway.inspections import restart
from tests.support.gateway.world import World
from tests.support.images.pictures import blurred_photo, files

STYLES = ("styles/studio-navy-suit", "styles/stage-red-shirt")


async def person(world: World, usable: int = 7, unusable: int = 1, **fields: Any) -> str:
    """A subject with usable photos, and some that are blurred."""
    subject = await world.acme.subject(**fields)
    await world.acme.upload(subject, *files(range(usable)), *(blurred_photo(50 + number) for number in range(unusable)))
    return subject


async def with_large_photos(world: World, *, analyzer: bool = False, **changes: Any) -> World:
    """A gateway that takes photos which are large enough to be usable."""
    await restart(world, analyzer=analyzer, **changes)
    return world


async def order(caller: Caller, subject: str, count: int = 3, **fields: Any) -> shoots_pb2.Shoot:
    """CreateShoot, of two styles unless a pack is named; all from the same seeds, as pictures are set by seed."""
    fields = {"style_seeds": galleries_pb2.STYLE_SEEDS_SAME, **fields}
    if "pack" not in fields:
        fields = {"styles": STYLES, **fields}
    request = shoots_pb2.CreateShootRequest(parent=subject, count=count, **fields)
    shoot = (await caller("CreateShoot", request)).shoot
    assert isinstance(shoot, shoots_pb2.Shoot)
    return shoot


async def get(caller: Caller, name: str) -> shoots_pb2.Shoot:
    """GetShoot."""
    shoot = (await caller("GetShoot", shoots_pb2.GetShootRequest(name=name))).shoot
    assert isinstance(shoot, shoots_pb2.Shoot)
    return shoot


async def cancel(caller: Caller, name: str) -> shoots_pb2.Shoot:
    """CancelShoot."""
    shoot = (await caller("CancelShoot", shoots_pb2.CancelShootRequest(name=name))).shoot
    assert isinstance(shoot, shoots_pb2.Shoot)
    return shoot


async def watched(caller: Caller, name: str, **after: int) -> list[shoots_pb2.WatchShootResponse]:
    """All that a watch sends; it has to end by itself."""
    return [each async for each in caller.stream("WatchShoot", shoots_pb2.WatchShootRequest(name=name, **after))]


async def finished(caller: Caller, name: str) -> shoots_pb2.Shoot:
    """The shoot once it has ended."""
    await watched(caller, name)
    return await get(caller, name)
