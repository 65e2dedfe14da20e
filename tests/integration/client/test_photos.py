"""Tests that the SDK uploads and inspects photos, against a gateway in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots.client import AsyncHeadshots
from headshots.errors import InvalidPhotoError, NotFoundError
from tests.support.fake_gateway.gateway import FakeGateway
from tests.support.fake_gateway.prepared import selfie, subject_with_photos


async def test_photos_are_inspected_stored_ones_first(
    client: AsyncHeadshots, fake: FakeGateway, tmp_path: Path
) -> None:
    subject = await subject_with_photos(client, 5)
    candidate, broken, huge = (tmp_path / name for name in ("more.jpg", "broken.jpg", "huge.png"))
    candidate.write_bytes(selfie(9))
    broken.write_bytes(b"not an image")
    with huge.open("wb") as file:
        file.truncate(20 * 2**20 + 1)
    found = await client.inspect_photos(subject, [candidate, broken, huge, selfie(10)])
    assert [photo.usable for photo in found.photos] == [*([True] * 6), False, False, True]
    stored = [photo.name async for photo in client.list_photos(subject)]
    assert [photo.name for photo in found.photos] == [*stored, "", "", "", ""]
    assert [photo.filename for photo in found.photos[5:]] == ["more.jpg", "broken.jpg", "huge.png", ""]
    assert [photo.findings[0].cause for photo in found.photos[6:8]] == ["PHOTO_UNDECODABLE", "PHOTO_TOO_LARGE"]
    assert (found.photos[6].findings[0].measured, found.photos[6].findings[0].duplicate_of) == (None, None)
    assert (found.ready_to_train, found.usable_count, found.faces_checked) == (True, 7, False)
    assert len(fake.photos[subject.name]) == 5


async def test_candidates_alone_need_no_subject(client: AsyncHeadshots) -> None:
    found = await client.inspect_photos(photos=[selfie(1), selfie(2)])
    (few,) = found.findings
    assert (few.reason, few.measured, few.limit, found.ready_to_train) == ("TOO_FEW", 2.0, 6.0, False)
    with pytest.raises(FileNotFoundError):
        await client.inspect_photos(photos=["nowhere.jpg"])
    with pytest.raises(NotFoundError):
        await client.inspect_photos("nobody")


async def test_upload_takes_paths_and_bytes_and_keeps_order(client: AsyncHeadshots, tmp_path: Path) -> None:
    path = tmp_path / "ada at the sea.jpg"
    path.write_bytes(selfie(1))
    large = selfie(2) + bytes(2 * 2**20)
    subject = await client.create_subject()
    photos = await client.upload_photos(subject, [path, large, selfie(3)])
    assert [photo.filename for photo in photos] == ["ada at the sea.jpg", "", ""]
    assert [photo.size_bytes for photo in photos] == [path.stat().st_size, len(large), len(selfie(3))]
    assert (photos[0].width_px, photos[0].height_px) == (64, 48)
    assert [photo async for photo in client.list_photos(subject, page_size=2)] == photos


async def test_refused_photo_names_itself(client: AsyncHeadshots) -> None:
    subject = await client.create_subject()
    with pytest.raises(InvalidPhotoError, match=r"photos\[1\]") as caught:
        await client.upload_photos(subject, [selfie(0), b"not an image"])
    assert caught.value.reason == "PHOTO_UNDECODABLE"
    assert isinstance(caught.value, ValueError)
    assert (await client.get_subject(subject)).photo_count == 0


async def test_upload_refused_midway_tells_why(client: AsyncHeadshots) -> None:
    with pytest.raises(NotFoundError, match="subjects/nobody"):
        await client.upload_photos("nobody", [selfie(0) + bytes(5 * 2**20)] * 4)


async def test_an_empty_photo_and_one_that_is_too_large_are_refused_by_name(
    client: AsyncHeadshots, tmp_path: Path
) -> None:
    subject = await client.create_subject()
    with pytest.raises(InvalidPhotoError, match="PHOTO_UNDECODABLE"):
        await client.upload_photos(subject, [b""])
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate(20 * 2**20 + 1)
    with pytest.raises(InvalidPhotoError, match=r"PHOTO_TOO_LARGE: photos\[1\] \(large.png\)"):
        await client.upload_photos(subject, [selfie(0), tmp_path / "large.png"])
    assert (await client.get_subject(subject)).photo_count == 0


async def test_unreadable_path_stores_nothing(client: AsyncHeadshots, tmp_path: Path) -> None:
    subject = await client.create_subject()
    with pytest.raises(FileNotFoundError):
        await client.upload_photos(subject, [selfie(0), tmp_path / "missing.jpg"])
    assert (await client.get_subject(subject)).photo_count == 0
