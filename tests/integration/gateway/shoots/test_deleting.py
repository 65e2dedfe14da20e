"""What a running shoot uses is not deleted; an erased subject leaves nothing of its shoots."""

from __future__ import annotations

import pytest

from headshots import schema
from headshots.errors import FailedPreconditionError
from headshots.v1 import galleries_pb2, photos_pb2, subjects_pb2
from tests.support.gateway import shoots
from tests.support.gateway.caller import refused
from tests.support.gateway.http import open_url
from tests.support.gateway.judging import paints, sitter, stranger
from tests.support.gateway.world import World
from tests.support.waiting import until


@pytest.fixture
async def name(world: World, subject: str) -> str:
    """A shoot that paints and does not finish."""
    world.generator.hold()
    made = await shoots.order(world.acme, subject)
    await until(lambda: len(world.rows(schema.galleries)) == 1)
    return made.name


async def test_its_photos_gallery_and_subject_stay_while_it_runs(world: World, subject: str, name: str) -> None:
    shoot = await shoots.get(world.acme, name)
    photos = (await world.acme("ListPhotos", photos_pb2.ListPhotosRequest(parent=subject))).photos
    (gallery,) = world.rows(schema.galleries)
    for call, request, reason, user in (
        ("DeletePhoto", photos_pb2.DeletePhotoRequest(name=photos[0].name), "PHOTO_IN_USE", name),
        (
            "DeleteGallery",
            galleries_pb2.DeleteGalleryRequest(name=f"{subject}/galleries/{gallery.id}"),
            "GALLERY_ACTIVE",
            f"{subject}/galleries/{gallery.id}",
        ),
        ("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject), "SUBJECT_BUSY", name),
    ):
        with refused(FailedPreconditionError, reason) as caught:
            await world.acme(call, request)
        assert caught.value.metadata["name"] == user
    # The blurred one is not learned from.
    await world.acme("DeletePhoto", photos_pb2.DeletePhotoRequest(name=photos[-1].name))
    world.generator.permit()
    assert (await shoots.finished(world.acme, name)).name == shoot.name
    await world.acme("DeletePhoto", photos_pb2.DeletePhotoRequest(name=photos[0].name))


async def test_a_gallery_that_has_ended_stays_until_its_shoot_has_seen_that(
    world: World, subject: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.shoots.runner.advance", lambda engine, shoot_id: None)
    world.generator.permit()
    (gallery,) = world.rows(schema.galleries)
    await world.acme.finished_gallery(f"{subject}/galleries/{gallery.id}")
    delete = galleries_pb2.DeleteGalleryRequest(name=f"{subject}/galleries/{gallery.id}")
    with refused(FailedPreconditionError, "GALLERY_IN_USE") as caught:
        await world.acme("DeleteGallery", delete)
    assert caught.value.metadata["name"] == name
    monkeypatch.undo()
    await world.kill()
    await world.start(photo_max_pixels=1_000_000)
    shoot = await shoots.finished(world.acme, name)
    await world.acme("DeleteGallery", delete)
    assert await shoots.get(world.acme, name) == shoot


async def test_an_erased_subject_leaves_nothing_of_its_shoots(world: World, subject: str, name: str) -> None:
    world.generator.permit()
    await shoots.finished(world.acme, name)
    await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))
    for table in (
        schema.shoots,
        schema.shoot_events,
        schema.galleries,
        schema.shots,
        schema.trainings,
        schema.training_events,
        schema.photos,
    ):
        assert world.rows(table) == []
    assert await world.store.list("tenants") == []


async def test_an_erased_subject_takes_refused_tries_and_what_links_open_with_it(world: World) -> None:
    subject = await sitter(world, links_port=0)
    paints(world, [1])
    paints(world, [0, 2, 3], stranger)
    shoot = await shoots.finished(world.acme, (await shoots.order(world.acme, subject, count=2, max_tries=2)).name)
    assert (shoot.delivered, shoot.tries) == (1, 4)
    images = [f"{shoot.gallery}/images/{number}" for number in range(2)]
    request = galleries_pb2.CreateImageLinksRequest(parent=shoot.gallery, images=images)
    links = (await world.acme("CreateImageLinks", request)).links
    assert [(await open_url(link.url)).status for link in links] == [200, 200]
    await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))
    assert await world.store.list("tenants") == []
    assert [(await open_url(link.url)).status for link in links] == [404, 404]
