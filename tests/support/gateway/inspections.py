"""Calls InspectPhotos, on a gateway with or without a face analyzer."""

from __future__ import annotations

from collections.abc import Iterable

import grpc.aio

from headshots.rpc.channel import error_from_rpc
from headshots.v1 import photos_pb2
from tests.support.gateway.caller import CHUNK_BYTES, Caller
from tests.support.gateway.world import World
from tests.support.images.faces import ColourAnalyzer
from tests.support.waiting import PATIENCE_SECONDS

BROKEN = b"I am not an image"


CHUNK = 100 * CHUNK_BYTES


LARGE_PHOTOS = {"photo_max_pixels": 1_000_000}
"""Settings of a gateway that takes photos which are large enough to be usable."""


async def restart(world: World, *, analyzer: bool, **changes: object) -> None:
    """Another gateway, with or without an analyzer."""
    await world.kill()
    world.analyzer = ColourAnalyzer() if analyzer else None
    await world.start(**{**LARGE_PHOTOS, **changes})


def messages(parent: str, photos: Iterable[bytes] = ()) -> list[photos_pb2.InspectPhotosRequest]:
    """A well-formed inspection."""
    found = [photos_pb2.InspectPhotosRequest(header=photos_pb2.InspectPhotosHeader(parent=parent))]
    for number, photo in enumerate(photos):
        start = photos_pb2.CandidatePhoto(filename=f"{number}.png", size_bytes=len(photo))
        found.append(photos_pb2.InspectPhotosRequest(photo=start))
        found += [photos_pb2.InspectPhotosRequest(chunk=photo[at : at + CHUNK]) for at in range(0, len(photo), CHUNK)]
    return found


async def send(caller: Caller, requests: Iterable[photos_pb2.InspectPhotosRequest]) -> photos_pb2.InspectPhotosResponse:
    try:
        answer = await caller.stub.InspectPhotos(iter(requests), metadata=caller.metadata, timeout=PATIENCE_SECONDS)
    except grpc.aio.AioRpcError as error:
        raise error_from_rpc(error) from error
    assert isinstance(answer, photos_pb2.InspectPhotosResponse)
    return answer


async def inspect(caller: Caller, parent: str, *photos: bytes) -> photos_pb2.InspectPhotosResponse:
    return await send(caller, messages(parent, photos))


def reasons(answer: photos_pb2.InspectPhotosResponse) -> list[list[str]]:
    return [[finding.reason for finding in photo.findings] for photo in answer.photos]
