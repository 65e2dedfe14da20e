"""Images are ranked, and listed in pages by number or rank, some of them alone."""

from __future__ import annotations

import pytest

from headshots.errors import InvalidArgumentError, NotFoundError
from headshots.v1 import galleries_pb2, images_pb2, profiles_pb2
from tests.support.gateway.caller import refused
from tests.support.gateway.judging import images, paints, sitter, small, stranger
from tests.support.gateway.world import World

STYLES = ("studio-navy-suit", "clinic-lab-coat")
BY_RANK = galleries_pb2.IMAGE_ORDER_RANK


@pytest.fixture
async def gallery(world: World) -> str:
    """Of each style two accepted images, one of Ada that is refused, and one of somebody else."""
    subject = await sitter(world)
    paints(world, [0, 1])
    paints(world, [2], small)
    paints(world, [3], stranger)
    # The same seeds give both styles the same pictures, which are no near-duplicates for this profile alone.
    limits = profiles_pb2.AcceptanceLimits(min_difference=0)
    await world.acme("CreateProfile", profiles_pb2.CreateProfileRequest(profile_id="tolerant", limits=limits))
    name = await world.acme.gallery(subject, STYLES, shots_per_style=4, profile="profiles/tolerant")
    await world.acme.finished_gallery(name)
    return name


def numbers(found: list[images_pb2.Image]) -> list[int]:
    return [int(image.name.rsplit("/", 1)[1]) for image in found]


async def test_accepted_images_have_ranks_and_the_first_differ_in_style(world: World, gallery: str) -> None:
    whole = (await world.acme("GetGallery", galleries_pb2.GetGalleryRequest(name=gallery))).gallery
    assert sorted(image.rank for image in whole.images) == [0, 0, 0, 0, 1, 2, 3, 4]
    best = sorted((image for image in whole.images if image.rank), key=lambda image: int(image.rank))
    assert {image.style for image in best[:2]} == {f"styles/{style}" for style in STYLES}
    assert await images(world, gallery) == list(whole.images)
    single = await world.acme("GetImage", galleries_pb2.GetImageRequest(name=best[0].name))
    assert single.image.rank == 0


async def test_by_rank_the_refused_follow_by_likeness(world: World, gallery: str) -> None:
    ranked = await images(world, gallery, order=BY_RANK)
    assert [image.rank for image in ranked] == [1, 2, 3, 4, 0, 0, 0, 0]
    # The small faces of Ada, then the strangers.
    assert numbers(ranked[4:]) == [2, 6, 3, 7]


@pytest.mark.parametrize("order", [galleries_pb2.IMAGE_ORDER_NUMBER, BY_RANK])
async def test_pages_together_are_the_whole_list(world: World, gallery: str, order: int) -> None:
    found: list[images_pb2.Image] = []
    token = ""
    while True:
        request = galleries_pb2.ListImagesRequest(parent=gallery, order=order, page_size=3, page_token=token)
        page = await world.acme("ListImages", request)
        assert len(page.images) <= 3
        found += page.images
        token = page.next_page_token
        if not token:
            break
    assert found == await images(world, gallery, order=order)
    assert len(found) == 8


async def test_filters_take_what_they_say(world: World, gallery: str) -> None:
    refused_ones = await images(world, gallery, acceptance=images_pb2.ACCEPTANCE_REFUSED)
    assert numbers(refused_ones) == [2, 3, 6, 7]
    assert numbers(await images(world, gallery, styles=[f"styles/{STYLES[1]}"])) == [4, 5, 6, 7]
    best = await images(world, gallery, order=BY_RANK, max_rank=3)
    assert [image.rank for image in best] == [1, 2, 3]
    both = await images(world, gallery, styles=[f"styles/{STYLES[0]}"], acceptance=images_pb2.ACCEPTANCE_ACCEPTED)
    assert numbers(both) == [0, 1]
    assert await images(world, gallery, acceptance=images_pb2.ACCEPTANCE_NOT_MEASURED) == []


async def test_what_cannot_be_listed_is_refused(world: World, gallery: str) -> None:
    first = await world.acme("ListImages", galleries_pb2.ListImagesRequest(parent=gallery, page_size=1))
    other = {"order": BY_RANK, "page_token": first.next_page_token}
    with refused(InvalidArgumentError, "PAGE_TOKEN_INVALID"):
        await images(world, gallery, **other)
    with refused(InvalidArgumentError, "STYLE_UNKNOWN") as caught:
        await images(world, gallery, styles=["styles/stage-red-shirt"])
    assert [violation.field for violation in caught.value.violations] == ["styles[0]"]
    assert "styles/clinic-lab-coat" in caught.value.message
    with refused(NotFoundError, "GALLERY_NOT_FOUND"):
        await images(world, gallery + "0")
