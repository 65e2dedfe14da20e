"""An image that is not liked is painted again, from other seeds and else as it was."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from headshots import schema
from headshots.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
)
from headshots.v1 import galleries_pb2, images_pb2
from services.gateway.api.names import ids
from services.gateway.api.requests import IdempotencyKey
from services.gateway.galleries.orders import regenerating
from services.gateway.galleries.orders.regenerating import Disliked
from tests.support.gateway.caller import refused
from tests.support.gateway.world import World

STYLES = ("studio-navy-suit", "clinic-lab-coat")


@pytest.fixture
async def old(world: World, subject: str) -> galleries_pb2.Gallery:
    """Of two styles three shots each, and two tries for each: seeds 5 to 22, as one may have six."""
    name = await world.acme.gallery(
        subject,
        STYLES,
        shots_per_style=3,
        seed=5,
        max_tries=2,
        profile="profiles/strict",
        format=images_pb2.IMAGE_FORMAT_WEBP,
        quality=80,
    )
    return await world.acme.finished_gallery(name)


async def regenerate(world: World, image: str, **fields: object) -> galleries_pb2.Gallery:
    answer = await world.acme("RegenerateImage", galleries_pb2.RegenerateImageRequest(name=image, **fields))
    gallery = answer.gallery
    assert isinstance(gallery, galleries_pb2.Gallery)
    return gallery


async def test_it_is_painted_as_it_was_from_seeds_that_were_not_tried(world: World, old: galleries_pb2.Gallery) -> None:
    disliked = old.images[4]
    made = await regenerate(world, disliked.name)
    gallery = await world.acme.finished_gallery(made.name)
    assert gallery.regenerates == disliked.name
    assert (list(gallery.styles), list(gallery.style_shots)) == ([f"styles/{STYLES[1]}"], [1])
    assert (gallery.profile, gallery.max_tries, gallery.adapter_sha256) == (
        "profiles/strict",
        2,
        old.adapter_sha256,
    )
    [image] = gallery.images
    assert (image.seed, image.prompt) == (23, disliked.prompt)
    before, after = world.generator.requests[4], world.generator.requests[-1]
    assert (after.format, after.quality) == (before.format, before.quality)
    kept = await world.acme.finished_gallery(old.name)
    assert kept == old
    # Once more, and for another image of the style: further seeds each time, as the first had two tries.
    assert (await regenerate(world, disliked.name)).seed == 25
    assert (await regenerate(world, old.images[3].name)).seed == 27
    more = await regenerate(world, old.images[0].name, max_tries=5)
    assert (more.seed, more.max_tries) == (23, 5)


async def test_the_recipe_is_that_of_the_gallery_whatever_became_of_the_style(
    world: World, old: galleries_pb2.Gallery
) -> None:
    with world.database.begin() as connection:
        [row] = connection.execute(sa.select(schema.galleries)).all()
        frozen = [{**recipe, "name": f"gone-{at}"} for at, recipe in enumerate(row.styles)]
        connection.execute(sa.update(schema.galleries).values(styles=frozen))
    made = await regenerate(world, old.images[0].name)
    assert list(made.styles) == ["styles/gone-0"]


async def test_the_same_request_id_makes_one_gallery(world: World, old: galleries_pb2.Gallery) -> None:
    first = await regenerate(world, old.images[0].name, request_id="again")
    assert (await regenerate(world, old.images[0].name, request_id="again")).name == first.name
    with refused(AlreadyExistsError, "REQUEST_ID_REUSED") as caught:
        await regenerate(world, old.images[1].name, request_id="again")
    assert [violation.field for violation in caught.value.violations] == ["name"]
    await world.acme.finished_gallery(first.name)
    assert len(world.rows(schema.galleries)) == 2
    assert (await regenerate(world, old.images[0].name, request_id="again")).name == first.name


async def test_of_two_calls_at_once_the_second_is_answered_with_what_the_first_made(
    world: World, old: galleries_pb2.Gallery
) -> None:
    """Both have looked, and found nothing, before one of them writes."""
    disliked = Disliked(*ids(old.name), 0)
    key = IdempotencyKey("again", {"name": disliked.name})
    made = [regenerating.regenerate(world.database, "acme", disliked, key=key, validate_only=False) for _ in range(2)]
    assert made[0].id == made[1].id


async def test_validate_only_makes_nothing(world: World, old: galleries_pb2.Gallery) -> None:
    would = await regenerate(world, old.images[0].name, validate_only=True)
    assert (would.seed, would.total_shots, would.regenerates) == (23, 1, old.images[0].name)
    assert len(world.rows(schema.galleries)) == 1
    world.generator.vocabulary = {"nothing"}
    for validate_only in (True, False):
        with refused(InvalidArgumentError, "STYLE_WORDS_UNKNOWN"):
            await regenerate(world, old.images[0].name, validate_only=validate_only)


async def test_what_cannot_be_regenerated_is_refused(world: World, old: galleries_pb2.Gallery, subject: str) -> None:
    with refused(NotFoundError, "IMAGE_NOT_FOUND"):
        await regenerate(world, f"{old.name}/images/6")
    await world.acme("DeleteImage", galleries_pb2.DeleteImageRequest(name=old.images[0].name))
    with refused(NotFoundError, "IMAGE_NOT_FOUND"):
        await regenerate(world, old.images[0].name)
    world.generator.hold(1)
    running = await world.acme.gallery(subject, shots_per_style=2, seed=50)
    async for event in world.acme.stream("WatchGallery", galleries_pb2.WatchGalleryRequest(name=running)):
        if event.HasField("image"):
            with refused(FailedPreconditionError, "GALLERY_ACTIVE"):
                await regenerate(world, event.image.name)
            break
    world.generator.permit()
    await world.acme.finished_gallery(running)


async def test_of_a_gallery_with_varied_seeds_it_begins_among_those_of_the_style(world: World, subject: str) -> None:
    varied = {"style_seeds": galleries_pb2.STYLE_SEEDS_VARIED}
    made = await world.acme.finished_gallery(await world.acme.gallery(subject, STYLES, shots_per_style=2, **varied))
    first = made.images[2].seed
    again = await regenerate(world, made.images[2].name)
    # Two shots of one try each are the style's; the new one keeps the seed that comes next, and varies it no further.
    assert (again.seed, again.style_seeds) == (first + 2, galleries_pb2.STYLE_SEEDS_SAME)
    painted = await world.acme.finished_gallery(again.name)
    assert [image.seed for image in painted.images] == [first + 2]
    assert (await regenerate(world, made.images[2].name)).seed == first + 3
