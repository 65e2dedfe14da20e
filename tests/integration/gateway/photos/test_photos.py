"""Photos are converted, stored and listed in order; bad and duplicate ones refuse the whole stream."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib

import pytest
from PIL import Image

from headshots import schema
from headshots.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    InvalidArgumentError,
    InvalidPhotoError,
)
from headshots.v1 import photos_pb2, subjects_pb2
from tests.support.gateway.caller import refused, selfie
from tests.support.gateway.world import World


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
    assert await world.stored_photos() == ([], [])


async def test_a_decompression_bomb_is_refused_by_its_header(world: World) -> None:
    subject = await world.acme.subject()
    with refused(InvalidPhotoError, "PHOTO_TOO_MANY_PIXELS") as caught:
        await world.acme.upload(subject, BOMB)
    assert "60000x60000" in caught.value.message
    assert await world.stored_photos() == ([], [])


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
    assert "photos[2] (2.jpg) is the same picture as photos[0] (0.jpg) of this stream" in caught.value.message
    same_pixels = encoded(picture(), "WEBP", lossless=True)
    with refused(AlreadyExistsError, "PHOTO_DUPLICATE") as caught:
        await world.acme.upload(subject, selfie(1, "PNG"), same_pixels)
    assert "(1.jpg) is the same picture as photos[0] (0.jpg)" in caught.value.message
    assert await world.stored_photos() == ([], [])


async def test_a_picture_that_the_subject_has_is_refused_and_stays(world: World) -> None:
    subject = await world.acme.subject()
    await world.acme.upload(subject, selfie(1), selfie(2))
    before = await world.stored_photos()
    with refused(AlreadyExistsError, "PHOTO_DUPLICATE") as caught:
        await world.acme.upload(subject, selfie(3), selfie(2))
    assert caught.value.metadata["photo"] == "1"
    assert (
        "photos[1] (1.jpg) is the same picture as a photo that the subject has already (1.jpg)" in caught.value.message
    )
    assert await world.stored_photos() == before
    other = await world.acme.subject()
    assert len(await world.acme.upload(other, selfie(1))) == 1


async def test_no_photos_and_101_photos_are_refused(world: World) -> None:
    subject = await world.acme.subject()
    with refused(InvalidArgumentError, "NO_PHOTOS"):
        await world.acme.upload(subject)
    with refused(InvalidArgumentError, "TOO_MANY_PHOTOS"):
        await world.acme.upload(subject, *map(selfie, range(101)))
    assert await world.stored_photos() == ([], [])


async def test_a_subject_holds_100_photos(world: World) -> None:
    subject = await world.acme.subject()
    await world.acme.upload(subject, *map(selfie, range(100)))
    before = await world.stored_photos()
    assert len(before[0]) == 100
    with refused(FailedPreconditionError, "TOO_MANY_PHOTOS"):
        await world.acme.upload(subject, selfie(100))
    assert await world.stored_photos() == before
