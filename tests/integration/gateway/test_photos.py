"""Uploads through real gRPC: what is stored, and that every bad stream is refused by name and leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import struct
import tempfile
import threading
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest
from PIL import Image

from headshots import schema
from headshots.errors import (
    AlreadyExistsError,
    DeadlineExceededError,
    FailedPreconditionError,
    InvalidArgumentError,
    InvalidPhotoError,
    NotFoundError,
    ResourceExhaustedError,
)
from headshots.imaging import NormalisedPhoto, PhotoLimits, decode_photo
from headshots.rpc.channel import error_from_rpc
from headshots.v1 import photos_pb2, subjects_pb2
from services.gateway.photos import uploads
from tests.support.gateway_world import World, opened_world, refused, selfie, upload_messages
from tests.support.waiting import PATIENCE_SECONDS, until


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    async with opened_world(tmp_path) as world:
        yield world
    assert list(scratch.iterdir()) == [], "scratch files stay behind"


def encoded(image: Image.Image, format_name: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format_name, **options)
    return out.getvalue()


def picture() -> Image.Image:
    return Image.open(io.BytesIO(selfie(1, "PNG")))


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


# 65 bytes that promise 60,000 x 60,000 pixels.
BOMB = (
    b"\x89PNG\r\n\x1a\n"
    + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    + png_chunk(b"IDAT", zlib.compress(b""))
    + png_chunk(b"IEND", b"")
)
BAD_PHOTOS = {
    "text": (b"I am not an image", "PHOTO_UNDECODABLE"),
    "gif": (encoded(picture(), "GIF"), "PHOTO_UNSUPPORTED_FORMAT"),
    "truncated": (selfie(1, "PNG")[:-200], "PHOTO_TRUNCATED"),
    "animated": (
        encoded(picture(), "WEBP", save_all=True, append_images=[picture().rotate(180)]),
        "PHOTO_ANIMATED",
    ),
    "too small": (selfie(1, size=(64, 63)), "PHOTO_TOO_SMALL"),
    "too many pixels": (selfie(1, size=(201, 200)), "PHOTO_TOO_MANY_PIXELS"),
}


@pytest.mark.parametrize("kind", BAD_PHOTOS)
async def test_a_bad_photo_refuses_the_whole_stream(world: World, kind: str) -> None:
    subject = await world.acme.subject()
    photo, reason = BAD_PHOTOS[kind]
    with refused(InvalidPhotoError, reason) as caught:
        await world.acme.upload(subject, selfie(1), photo, selfie(2))
    assert caught.value.metadata["photo"] == "1"
    assert [violation.field for violation in caught.value.violations] == ["photos[1]"]
    assert caught.value.message.startswith("photos[1] (1.jpg): ")
    assert await world.photo_leftovers() == ([], [])


async def test_a_decompression_bomb_is_refused_by_its_header(world: World) -> None:
    subject = await world.acme.subject()
    with refused(InvalidPhotoError, "PHOTO_TOO_MANY_PIXELS") as caught:
        await world.acme.upload(subject, BOMB)
    assert "60000x60000" in caught.value.message
    assert await world.photo_leftovers() == ([], [])


async def test_unusual_photos_are_converted(world: World) -> None:
    subject = await world.acme.subject()
    grey_16_bits = Image.frombytes("I;16", (70, 66), bytes(range(210)) * 44)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "a phone that nobody should learn of"
    photos = await world.acme.upload(
        subject,
        encoded(picture().convert("CMYK"), "JPEG"),
        encoded(grey_16_bits, "PNG"),
        encoded(picture().rotate(180), "JPEG", exif=exif),
    )
    assert [(photo.width_px, photo.height_px) for photo in photos] == [(72, 64), (70, 66), (64, 72)]
    for row in world.rows(schema.photos):
        content = await world.store.get(row.key)
        stored = Image.open(io.BytesIO(content))
        assert (stored.format, stored.mode, stored.size) == ("PNG", "RGB", (row.width_px, row.height_px))
        assert stored.info == {}
        assert hashlib.sha256(content).hexdigest() == row.object_sha256
        assert row.key == f"tenants/acme/{subject}/photos/{row.object_sha256}.png"


async def test_photos_are_kept_in_order_over_streams_and_pages(world: World) -> None:
    subject = await world.acme.subject()
    first = await world.acme.upload(subject, selfie(1), selfie(2), selfie(3))
    second = await world.acme.upload(subject, selfie(4), selfie(5))
    data = selfie(4)
    assert second[0].sha256 == hashlib.sha256(data).hexdigest()
    assert second[0].name == f"{subject}/photos/{second[0].sha256[:32]}"
    assert (second[0].size_bytes, second[0].filename) == (len(data), "0.jpg")
    listed, token, pages = [], "", 0
    while True:
        request = photos_pb2.ListPhotosRequest(parent=subject, page_size=2, page_token=token)
        page = await world.acme("ListPhotos", request)
        listed += page.photos
        pages, token = pages + 1, page.next_page_token
        if not token:
            break
    assert (listed, pages) == ([*first, *second], 3)
    got = (await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=subject))).subject
    assert got.photo_count == 5


async def test_the_same_picture_twice_in_a_stream_is_refused(world: World) -> None:
    subject = await world.acme.subject()
    with refused(AlreadyExistsError, "PHOTO_DUPLICATE") as caught:
        await world.acme.upload(subject, selfie(1), selfie(2), selfie(1))
    assert caught.value.metadata["photo"] == "2"
    same_pixels = encoded(picture(), "WEBP", lossless=True)
    with refused(AlreadyExistsError, "PHOTO_DUPLICATE"):
        await world.acme.upload(subject, selfie(1, "PNG"), same_pixels)
    assert await world.photo_leftovers() == ([], [])


async def test_a_picture_that_the_subject_has_is_refused_and_stays(world: World) -> None:
    subject = await world.acme.subject()
    await world.acme.upload(subject, selfie(1), selfie(2))
    before = await world.photo_leftovers()
    with refused(AlreadyExistsError, "PHOTO_DUPLICATE") as caught:
        await world.acme.upload(subject, selfie(3), selfie(2))
    assert caught.value.metadata["photo"] == "1"
    assert await world.photo_leftovers() == before
    other = await world.acme.subject()
    assert len(await world.acme.upload(other, selfie(1))) == 1


async def test_no_photos_and_101_photos_are_refused(world: World) -> None:
    subject = await world.acme.subject()
    with refused(InvalidArgumentError, "NO_PHOTOS"):
        await world.acme.upload(subject)
    with refused(InvalidArgumentError, "TOO_MANY_PHOTOS"):
        await world.acme.upload(subject, *map(selfie, range(101)))
    assert await world.photo_leftovers() == ([], [])


async def test_a_subject_holds_100_photos(world: World) -> None:
    subject = await world.acme.subject()
    await world.acme.upload(subject, *map(selfie, range(100)))
    before = await world.photo_leftovers()
    assert len(before[0]) == 100
    with refused(FailedPreconditionError, "TOO_MANY_PHOTOS"):
        await world.acme.upload(subject, selfie(100))
    assert await world.photo_leftovers() == before


def header(subject: str) -> photos_pb2.UploadPhotosRequest:
    return photos_pb2.UploadPhotosRequest(header=photos_pb2.UploadPhotosHeader(parent=subject))


def start(size: int, filename: str = "me.jpg") -> photos_pb2.UploadPhotosRequest:
    return photos_pb2.UploadPhotosRequest(photo=photos_pb2.PhotoStart(filename=filename, size_bytes=size))


def chunk(data: bytes) -> photos_pb2.UploadPhotosRequest:
    return photos_pb2.UploadPhotosRequest(chunk=data)


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
        ([*good, start(20 * 2**20 + 1)], "CONSTRAINT_VIOLATED"),
        ([*good, start(0)], "CONSTRAINT_VIOLATED"),
        ([*good, start(10, "me\0.jpg")], "CONSTRAINT_VIOLATED"),
        ([*good, photos_pb2.UploadPhotosRequest()], "CONSTRAINT_VIOLATED"),
        ([*good, start(2**21), chunk(bytes(2**20 + 1))], "CONSTRAINT_VIOLATED"),
        ([header("subjects/../../x"), start(1)], "CONSTRAINT_VIOLATED"),
    ]
    for messages, reason in cases:
        with refused(InvalidArgumentError, reason):
            await world.acme.send(messages)
        assert await world.photo_leftovers() == ([], [])


async def test_a_message_above_the_size_limit_is_refused(world: World) -> None:
    subject = await world.acme.subject()
    with refused(ResourceExhaustedError, "MESSAGE_TOO_LARGE"):
        await world.acme.send([header(subject), start(2**23), chunk(bytes(5 * 2**20))])
    assert await world.photo_leftovers() == ([], [])


async def test_a_connection_that_breaks_in_the_middle_leaves_nothing(world: World, tmp_path: Path) -> None:
    subject = await world.acme.subject()
    call = world.acme.stub.UploadPhotos(metadata=world.acme.metadata)
    for message in [*upload_messages(subject, selfie(1)), start(500), chunk(bytes(100))]:
        await call.write(message)
    await until(lambda: any((tmp_path / "scratch").glob("*/0.png")))
    call.cancel()
    await until(lambda: not any((tmp_path / "scratch").iterdir()))
    assert await world.photo_leftovers() == ([], [])
    assert len(await world.acme.upload(subject, selfie(1))) == 1


async def test_a_silent_stream_is_ended_and_leaves_nothing(world: World, tmp_path: Path) -> None:
    subject = await world.acme.subject()
    await world.kill()
    await world.start(upload_idle_seconds=0.3)
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
        assert await world.photo_leftovers() == ([], [])
        assert not any((tmp_path / "scratch").iterdir())


async def test_more_streams_than_may_be_at_once_are_sent_away(world: World, tmp_path: Path) -> None:
    subject = await world.acme.subject()
    await world.kill()
    await world.start(uploads_at_once=2)
    calls = [world.acme.stub.UploadPhotos(metadata=world.acme.metadata) for _ in range(2)]
    for number, call in enumerate(calls):
        for message in upload_messages(subject, selfie(number)):
            await call.write(message)
    await until(lambda: len(list((tmp_path / "scratch").glob("*/0.png"))) == 2)
    with refused(ResourceExhaustedError, "UPLOADS_BUSY") as caught:
        await world.acme.upload(subject, selfie(7))
    assert caught.value.retry_after_seconds == 5.0
    calls[0].cancel()
    await calls[1].done_writing()
    assert len((await calls[1]).photos) == 1
    await until(lambda: not any((tmp_path / "scratch").iterdir()))
    assert len(await world.acme.upload(subject, selfie(7))) == 1


async def test_photos_are_hashed_and_decoded_off_the_event_loop_a_few_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []
    lock, pair, running, most = threading.Lock(), threading.Barrier(2), 0, 0

    def digest(body: bytes) -> str:
        threads.append(threading.current_thread())
        return hashlib.sha256(body).hexdigest()

    def decode(body: bytes, limits: PhotoLimits) -> NormalisedPhoto:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        pair.wait(PATIENCE_SECONDS)
        with lock:
            running -= 1
        return decode_photo(body, limits)

    monkeypatch.setattr(uploads, "_sha256", digest)
    monkeypatch.setattr(uploads, "decode_photo", decode)
    subjects = [await world.acme.subject() for _ in range(4)]
    await asyncio.gather(*(world.acme.upload(subject, selfie(1)) for subject in subjects))
    assert len(threads) == 4
    assert threading.main_thread() not in threads
    assert most == 2


async def test_an_unknown_subject_is_refused_before_its_photos_are_read(world: World) -> None:
    with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
        await world.acme.upload("subjects/nobody", selfie(1))
    assert await world.photo_leftovers() == ([], [])
