"""A photo is erased alone, and not while a training learns from it."""

from __future__ import annotations

import pytest

from headshots import schema
from headshots.artifacts import ArtifactStore
from headshots.errors import FailedPreconditionError, NotFoundError, UnavailableError
from headshots.v1 import photos_pb2
from tests.support.gateway.caller import refused, selfie
from tests.support.gateway.world import World


async def delete(world: World, name: str) -> None:
    await world.acme("DeletePhoto", photos_pb2.DeletePhotoRequest(name=name))


async def test_an_erased_photo_leaves_neither_row_nor_object_and_others_stay(world: World) -> None:
    subject, other = await world.acme.subject(), await world.acme.subject()
    photos = await world.acme.upload(subject, *map(selfie, range(3)))
    await world.acme.upload(other, selfie(0))
    await delete(world, photos[0].name)
    with refused(NotFoundError, "PHOTO_NOT_FOUND") as caught:
        await delete(world, photos[0].name)
    assert caught.value.metadata["name"] == photos[0].name
    rows, keys = await world.stored_photos()
    assert len(rows) == len(keys) == 3
    listed = (await world.acme("ListPhotos", photos_pb2.ListPhotosRequest(parent=subject))).photos
    assert [photo.name for photo in listed] == [photo.name for photo in photos[1:]]
    again = await world.acme.upload(subject, selfie(0))
    assert [photo.name for photo in again] == [photos[0].name]


async def test_a_photo_that_a_training_learns_from_stays(world: World) -> None:
    subject = await world.acme.subject()
    photos = await world.acme.upload(subject, *map(selfie, range(7)))
    world.trainer.go.clear()
    training = await world.acme.create_training(subject, photos=[photo.name for photo in photos[:6]])
    with refused(FailedPreconditionError, "PHOTO_IN_USE") as caught:
        await delete(world, photos[0].name)
    assert caught.value.metadata["name"] == training.name
    await delete(world, photos[6].name)
    world.trainer.go.set()
    await world.acme.finished_training(training.name)
    await delete(world, photos[0].name)
    assert len(world.rows(schema.photos)) == 5


async def test_a_store_that_fails_loses_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = await world.acme.subject()
    [photo] = await world.acme.upload(subject, selfie(1))

    def fail(store: ArtifactStore, key: str) -> None:
        raise UnavailableError("OBJECT_STORE_UNAVAILABLE", "the object store does not answer")

    with monkeypatch.context() as patched, refused(UnavailableError, "OBJECT_STORE_UNAVAILABLE"):
        patched.setattr(ArtifactStore, "delete_sync", fail)
        await delete(world, photo.name)
    assert len(world.rows(schema.photos)) == 1
    await delete(world, photo.name)
    assert await world.stored_photos() == ([], [])
