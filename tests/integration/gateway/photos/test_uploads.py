"""An upload stream that is malformed, broken, silent or one too many is refused and leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import grpc.aio

from headshots.errors import (
    DeadlineExceededError,
    InvalidArgumentError,
    InvalidPhotoError,
    NotFoundError,
    ResourceExhaustedError,
)
from headshots.rpc.channel import error_from_rpc
from headshots.v1 import photos_pb2
from tests.support.gateway.caller import refused, selfie, upload_messages
from tests.support.gateway.world import World
from tests.support.images import costly
from tests.support.waiting import until


def header(subject: str) -> photos_pb2.UploadPhotosRequest:
    return photos_pb2.UploadPhotosRequest(header=photos_pb2.UploadPhotosHeader(parent=subject))


def start(size: int, filename: str = "me.jpg") -> photos_pb2.UploadPhotosRequest:
    return photos_pb2.UploadPhotosRequest(photo=photos_pb2.PhotoStart(filename=filename, size_bytes=size))


def chunk(data: bytes) -> photos_pb2.UploadPhotosRequest:
    return photos_pb2.UploadPhotosRequest(chunk=data)


def is_empty(folder: Path) -> bool:
    return not any(folder.iterdir())


async def test_malformed_streams_are_refused(world: World) -> None:
    subject = await world.acme.subject()
    good = upload_messages(subject, selfie(1))
    photo = selfie(2)
    cases: list[tuple[list[photos_pb2.UploadPhotosRequest], str]] = [
        ([], "UPLOAD_MALFORMED"),
        (good[1:], "UPLOAD_MALFORMED"),
        ([*good, header(subject)], "UPLOAD_MALFORMED"),
        ([header(subject), chunk(photo)], "UPLOAD_MALFORMED"),
        ([*good, start(10), chunk(photo)], "UPLOAD_MALFORMED"),
        ([*good, start(len(photo)), chunk(photo[:100])], "UPLOAD_INCOMPLETE"),
        ([*good, start(len(photo))], "UPLOAD_INCOMPLETE"),
        ([*good, start(len(photo)), chunk(photo[:100]), start(5)], "UPLOAD_INCOMPLETE"),
        ([*good, start(-1)], "CONSTRAINT_VIOLATED"),
        ([*good, start(10, "me\0.jpg")], "CONSTRAINT_VIOLATED"),
        ([*good, photos_pb2.UploadPhotosRequest()], "CONSTRAINT_VIOLATED"),
        ([*good, start(2**21), chunk(bytes(2**20 + 1))], "CONSTRAINT_VIOLATED"),
        ([header("subjects/../../x"), start(1)], "CONSTRAINT_VIOLATED"),
    ]
    for messages, reason in cases:
        with refused(InvalidArgumentError, reason):
            await world.acme.send(messages)
        assert await world.stored_photos() == ([], [])


async def test_a_file_that_is_empty_or_too_large_is_refused_by_its_name_before_it_is_sent(world: World) -> None:
    subject = await world.acme.subject()
    good = upload_messages(subject, selfie(1))
    with refused(InvalidPhotoError, "PHOTO_UNDECODABLE") as caught:
        await world.acme.send([*good, start(0, "leer.jpg")])
    assert caught.value.message == "photos[1] (leer.jpg): the file is empty; send the photo itself"
    with refused(InvalidPhotoError, "PHOTO_TOO_LARGE") as caught:
        # No byte of it has to come.
        await world.acme.send([*good, start(22 * 2**20, "urlaub.png")])
    assert caught.value.message.startswith("photos[1] (urlaub.png): the photo has 23068672 bytes, 20971520 are allowed")
    assert caught.value.metadata["photo"] == "1"
    assert await world.stored_photos() == ([], [])


async def test_a_message_above_the_size_limit_is_refused(world: World) -> None:
    subject = await world.acme.subject()
    with refused(ResourceExhaustedError, "MESSAGE_TOO_LARGE"):
        await world.acme.send([header(subject), start(2**23), chunk(bytes(5 * 2**20))])
    assert await world.stored_photos() == ([], [])


async def test_a_connection_that_breaks_in_the_middle_leaves_nothing(world: World, scratch: Path) -> None:
    subject = await world.acme.subject()
    call = world.acme.stub.UploadPhotos(metadata=world.acme.metadata)
    for message in [*upload_messages(subject, selfie(1)), start(500), chunk(bytes(100))]:
        await call.write(message)
    await until(lambda: any(scratch.glob("*/0.png")))
    call.cancel()
    await until(lambda: is_empty(scratch))
    assert await world.stored_photos() == ([], [])
    assert len(await world.acme.upload(subject, selfie(1))) == 1


async def test_a_silent_stream_is_ended_and_leaves_nothing(world: World, scratch: Path) -> None:
    subject = await world.acme.subject()
    await world.kill()
    await world.start(upload_idle_seconds=0.3, upload_bytes_per_second=0.001)
    for messages in (upload_messages(subject, selfie(1)), [*upload_messages(subject, selfie(1)), start(500)], []):
        call = world.acme.stub.UploadPhotos(metadata=world.acme.metadata)
        # Where we are so slow ourselves, the call is over in the middle of it.
        with contextlib.suppress(asyncio.InvalidStateError, grpc.aio.AioRpcError):
            for message in messages:
                await call.write(message)
        with refused(DeadlineExceededError, "UPLOAD_IDLE"):
            try:
                await call
            except grpc.aio.AioRpcError as error:
                raise error_from_rpc(error) from error
        assert await world.stored_photos() == ([], [])
        assert is_empty(scratch)


async def test_more_streams_than_the_limit_are_refused(world: World, scratch: Path) -> None:
    subject = await world.acme.subject()
    await world.kill()
    await world.start(uploads_at_once=2)
    calls = [world.acme.stub.UploadPhotos(metadata=world.acme.metadata) for _ in range(2)]
    for number, call in enumerate(calls):
        for message in upload_messages(subject, selfie(number)):
            await call.write(message)
    await until(lambda: len(list(scratch.glob("*/0.png"))) == 2)
    with refused(ResourceExhaustedError, "UPLOADS_BUSY") as caught:
        await world.acme.upload(subject, selfie(7))
    assert caught.value.retry_after_seconds == 5.0
    calls[0].cancel()
    await calls[1].done_writing()
    assert len((await calls[1]).photos) == 1
    await until(lambda: is_empty(scratch))
    assert len(await world.acme.upload(subject, selfie(7))) == 1


async def test_a_tenant_has_a_share_of_the_streams(world: World, scratch: Path) -> None:
    subject = await world.acme.subject()
    await world.kill()
    await world.start(uploads_at_once=3, uploads_per_tenant=2)
    calls = [world.acme.stub.UploadPhotos(metadata=world.acme.metadata) for _ in range(2)]
    for number, call in enumerate(calls):
        for message in upload_messages(subject, selfie(number)):
            await call.write(message)
    await until(lambda: len(list(scratch.glob("*/0.png"))) == 2)
    with refused(ResourceExhaustedError, "UPLOADS_BUSY"):
        await world.acme.upload(subject, selfie(7))
    globex = world.caller(world.keys["globex"])
    assert len(await globex.upload(await globex.subject(), selfie(7))) == 1
    for call in calls:
        await call.done_writing()
        assert len((await call).photos) == 1
    assert len(await world.acme.upload(subject, selfie(7))) == 1


async def test_a_stream_that_drips_is_ended_and_leaves_nothing(world: World, scratch: Path) -> None:
    subject = await world.acme.subject()
    await world.kill()
    await world.start(upload_idle_seconds=1.5, upload_bytes_per_second=1e9)
    call = world.acme.stub.UploadPhotos(metadata=world.acme.metadata)
    with contextlib.suppress(asyncio.InvalidStateError, grpc.aio.AioRpcError):
        for message in [header(subject), start(2**20)]:
            await call.write(message)
        while not call.done():
            await call.write(chunk(b"x"))
            await asyncio.sleep(0.05)
    with refused(DeadlineExceededError, "UPLOAD_TOO_SLOW"):
        try:
            await call
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error) from error
    assert await world.stored_photos() == ([], [])
    assert is_empty(scratch)


async def test_a_photo_that_costs_too_much_is_refused_and_the_next_is_stored(world: World) -> None:
    subject = await world.acme.subject()
    with refused(InvalidPhotoError, "PHOTO_TOO_COSTLY") as caught:
        await world.acme.upload(subject, selfie(1), costly.with_segments(costly.jpeg(), 2000))
    assert caught.value.metadata == {"photo": "1"}
    assert await world.stored_photos() == ([], [])
    assert len(await world.acme.upload(subject, selfie(1))) == 1


async def test_an_unknown_subject_is_refused_before_its_photos_are_read(world: World) -> None:
    with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
        await world.acme.upload("subjects/nobody", selfie(1))
    assert await world.stored_photos() == ([], [])
