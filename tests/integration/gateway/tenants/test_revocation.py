"""A key that is revoked, by whichever process, ends the streams that it opened, and no others."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

import grpc.aio

from headshots import keys
from headshots.errors import UnauthenticatedError
from headshots.rpc.channel import error_from_rpc
from headshots.v1 import galleries_pb2, photos_pb2, trainings_pb2
from tests.support.gateway.caller import Caller, refused, selfie, upload_messages
from tests.support.gateway.world import World
from tests.support.waiting import PATIENCE_SECONDS, until


async def watched(caller: Caller, name: str, seen: list[trainings_pb2.Training]) -> None:
    async for message in caller.watch_training(name):
        seen.append(message.training)


def is_open(key_id: str) -> bool:
    """Whether a gateway of this process has a call of the key under way."""
    known = [each for each in keys.rows.revocation_listeners if isinstance(each, keys.KnownKeys)]
    return any(key_id in each._calls for each in known)


async def test_an_open_watch_ends_when_another_process_revokes_its_key(world: World) -> None:
    revoked = keys.create_key(world.database, "acme")
    subject = await world.acme.subject()
    await world.acme.upload(subject, *map(selfie, range(6)))
    world.trainer.go.clear()
    name = (await world.acme.create_training(subject)).name
    seen: dict[str, list[trainings_pb2.Training]] = {"kept": [], "revoked": []}
    kept = asyncio.create_task(watched(world.acme, name, seen["kept"]))
    ended = asyncio.create_task(watched(world.caller(revoked), name, seen["revoked"]))
    await until(lambda: bool(seen["kept"] and seen["revoked"]))
    command = [sys.executable, "-m", "headshots", "keys", "revoke", keys.id_of_key(revoked)]
    process = await asyncio.create_subprocess_exec(*command, "--database", str(world.database.url))
    assert await process.wait() == 0
    async with asyncio.timeout(PATIENCE_SECONDS):
        with refused(UnauthenticatedError, "API_KEY_REVOKED"):
            await ended
    assert not kept.done()
    world.trainer.go.set()
    await kept
    assert seen["kept"][-1].end_time.seconds


async def test_an_open_watch_of_a_gallery_ends_too(world: World) -> None:
    revoked = keys.create_key(world.database, "acme")
    subject = await world.acme.trained_subject()
    world.generator.hold()
    request = galleries_pb2.WatchGalleryRequest(name=await world.acme.gallery(subject))
    with refused(UnauthenticatedError, "API_KEY_REVOKED"):
        async for _ in world.caller(revoked).stream("WatchGallery", request):
            keys.revoke_key(world.database, keys.id_of_key(revoked))
    world.generator.permit(4)


async def test_an_upload_ends_and_leaves_nothing(world: World) -> None:
    revoked = keys.create_key(world.database, "acme")
    subject = await world.acme.subject()
    caller, sent = world.caller(revoked), asyncio.Event()

    async def messages() -> AsyncIterator[photos_pb2.UploadPhotosRequest]:
        for message in upload_messages(subject, selfie(1), selfie(2)):
            yield message
        sent.set()
        await asyncio.sleep(PATIENCE_SECONDS)

    call = caller.stub.UploadPhotos(messages(), metadata=caller.metadata, timeout=PATIENCE_SECONDS)
    waiting = asyncio.ensure_future(call)
    await sent.wait()
    # Sent is not yet received: a key that is revoked before the call begins is an unknown one.
    await until(lambda: is_open(keys.id_of_key(revoked)))
    keys.revoke_key(world.database, keys.id_of_key(revoked))
    try:
        await waiting
    except grpc.aio.AioRpcError as error:
        told = error_from_rpc(error)
    assert (type(told), told.reason) == (UnauthenticatedError, "API_KEY_REVOKED")
    assert await world.stored_photos() == ([], [])
