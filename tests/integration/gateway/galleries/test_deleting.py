"""Galleries and images are erased alone, and not while a running gallery needs them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from headshots import schema
from headshots.errors import FailedPreconditionError, NotFoundError
from headshots.v1 import galleries_pb2
from tests.support.gateway.caller import refused
from tests.support.gateway.world import World


@pytest.fixture
async def subject(world: World) -> str:
    return await world.acme.trained_subject()


async def delete_gallery(world: World, name: str) -> int:
    answer = await world.acme("DeleteGallery", galleries_pb2.DeleteGalleryRequest(name=name))
    return int(answer.deleted_objects)


async def delete_image(world: World, name: str) -> None:
    await world.acme("DeleteImage", galleries_pb2.DeleteImageRequest(name=name))


async def images(world: World, subject: str) -> list[str]:
    return [key for key in await world.store.list(f"tenants/acme/{subject}") if "/images/" in key]


async def test_an_erased_gallery_takes_its_images_with_it_and_leaves_others(world: World, subject: str) -> None:
    first = await world.acme.gallery(subject, shots_per_style=3, seed=0)
    second = await world.acme.gallery(subject, shots_per_style=3, seed=2)
    for name in (first, second):
        await world.acme.finished_gallery(name)
    # Shot 2 of the first is shot 0 of the second: one object.
    assert len(await images(world, subject)) == 5
    assert await delete_gallery(world, first) == 2
    assert len(await images(world, subject)) == 3
    with refused(NotFoundError, "GALLERY_NOT_FOUND"):
        await delete_gallery(world, first)
    kept = (await world.acme("GetGallery", galleries_pb2.GetGalleryRequest(name=second))).gallery
    for image in kept.images:
        await world.acme("GetImage", galleries_pb2.GetImageRequest(name=image.name))
    assert await delete_gallery(world, second) == 3
    assert await images(world, subject) == world.rows(schema.shots) == world.rows(schema.galleries) == []


async def test_an_erased_image_is_gone_and_its_shot_still_counts(world: World, subject: str) -> None:
    name = await world.acme.gallery(subject, shots_per_style=2)
    gallery = await world.acme.finished_gallery(name)
    await delete_image(world, gallery.images[0].name)
    for call, request in (
        ("GetImage", galleries_pb2.GetImageRequest(name=gallery.images[0].name)),
        ("DeleteImage", galleries_pb2.DeleteImageRequest(name=gallery.images[0].name)),
    ):
        with refused(NotFoundError, "IMAGE_NOT_FOUND"):
            await world.acme(call, request)
    left = await world.acme.finished_gallery(name)
    assert [image.name for image in left.images] == [gallery.images[1].name]
    assert (left.total_shots, left.completed_shots, left.state) == (2, 2, gallery.state)
    assert len(await images(world, subject)) == 1
    assert await delete_gallery(world, name) == 1


async def test_what_a_running_gallery_needs_stays(world: World, subject: str) -> None:
    done = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=3))
    source = done.images[0]
    world.generator.hold()
    remix = galleries_pb2.Remix(image=source.name)
    running = await world.acme.gallery(subject, shots_per_style=1, seed=9, remix=remix)
    with refused(FailedPreconditionError, "GALLERY_ACTIVE") as caught:
        await delete_gallery(world, running)
    assert caught.value.metadata["name"] == running
    again = await world.acme.gallery(subject, shots_per_style=1, seed=1)
    for image, needed_by in ((source, running), (done.images[1], again)):
        with refused(FailedPreconditionError, "IMAGE_IN_USE") as caught:
            await delete_image(world, image.name)
        assert caught.value.metadata["name"] == needed_by
    with refused(FailedPreconditionError, "IMAGE_IN_USE"):
        await delete_gallery(world, done.name)
    await delete_image(world, done.images[2].name)
    world.generator.permit(2)
    for name in (running, again):
        await world.acme.finished_gallery(name)
    await delete_gallery(world, done.name)
    repainted = await world.acme.finished_gallery(again)
    await world.acme("GetImage", galleries_pb2.GetImageRequest(name=repainted.images[0].name))


async def test_images_that_were_stored_and_never_recorded_go_once_nothing_of_the_subject_runs(
    world: World, subject: str
) -> None:
    """A shot may be cancelled between the two."""
    first, second = [await world.acme.gallery(subject, shots_per_style=1, seed=seed) for seed in (0, 1)]
    for name in (first, second):
        await world.acme.finished_gallery(name)
    await world.store.put(f"tenants/acme/{subject}/images/unrecorded.png", b"a portrait")
    world.generator.hold()
    running = await world.acme.gallery(subject, shots_per_style=1, seed=9)
    assert await delete_gallery(world, first) == 1
    assert len(await images(world, subject)) == 2, "the running gallery may be about to record it"
    world.generator.permit()
    await world.acme.finished_gallery(running)
    assert await delete_gallery(world, second) == 2
    [kept] = (await world.acme("GetGallery", galleries_pb2.GetGalleryRequest(name=running))).gallery.images
    await world.acme("GetImage", galleries_pb2.GetImageRequest(name=kept.name))
    assert len(await images(world, subject)) == 1


async def test_what_runs_for_others_or_is_painted_already_holds_nothing_up(world: World, subject: str) -> None:
    done = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=3))
    world.generator.hold(1)
    other = await world.acme.trained_subject()
    elsewhere = await world.acme.gallery(other, shots_per_style=1, seed=0)
    await world.acme.finished_gallery(elsewhere)
    await world.acme.gallery(other, shots_per_style=3, seed=0)
    await delete_image(world, done.images[0].name)
    running = await world.acme.gallery(subject, shots_per_style=2, seed=1)
    first = f"{running.rsplit('/', 1)[1]}-0"
    with world.database.begin() as connection:
        connection.execute(sa.update(schema.shots).where(schema.shots.c.id == first).values(state=schema.SUCCEEDED))
    await delete_image(world, done.images[1].name)
    with refused(FailedPreconditionError, "IMAGE_IN_USE"):
        await delete_image(world, done.images[2].name)
