"""Galleries are ordered, refused, found and listed."""

from __future__ import annotations

import hashlib

from headshots import schema
from headshots.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
)
from headshots.v1 import galleries_pb2, jobs_pb2
from tests.support.gateway.caller import refused, selfie
from tests.support.gateway.world import World
from tests.support.waiting import until

STYLES = ("studio-navy-suit", "clinic-lab-coat")


async def test_an_image_can_be_fetched(world: World, subject: str) -> None:
    name = await world.acme.gallery(subject, shots_per_style=2)
    gallery = await world.acme.finished_gallery(name)
    answer = await world.acme("GetImage", galleries_pb2.GetImageRequest(name=f"{name}/images/1"))
    assert answer.image == gallery.images[1]
    assert hashlib.sha256(answer.content).hexdigest() == answer.image.sha256
    with refused(NotFoundError, "IMAGE_NOT_FOUND"):
        await world.acme("GetImage", galleries_pb2.GetImageRequest(name=f"{name}/images/2"))


async def test_bad_orders_are_refused(world: World, subject: str) -> None:
    with refused(InvalidArgumentError, "STYLE_UNKNOWN") as caught:
        await world.acme.gallery(subject, ["studio-navy-suit", "no-such-style"])
    assert [violation.field for violation in caught.value.violations] == ["styles[1]"]
    assert "studio-navy-suit" in caught.value.message
    with refused(InvalidArgumentError, "TOO_MANY_SHOTS"):
        await world.acme.gallery(subject, [*STYLES, "stage-red-shirt"], shots_per_style=64)
    with refused(InvalidArgumentError, "CONSTRAINT_VIOLATED"):
        await world.acme.gallery(subject, [])
    with refused(InvalidArgumentError, "CONSTRAINT_VIOLATED"):
        await world.acme.gallery(subject, ["studio-navy-suit", "studio-navy-suit"])
    untrained = await world.acme.subject()
    with refused(FailedPreconditionError, "SUBJECT_UNTRAINED"):
        await world.acme.gallery(untrained)
    with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
        await world.acme.gallery("subjects/none")
    assert world.rows(schema.galleries) == world.rows(schema.shots) == []


async def test_styles_may_have_numbers_of_shots_of_their_own(world: World, subject: str) -> None:
    made = await world.acme.finished_gallery(await world.acme.gallery(subject, STYLES, style_shots=[1, 3], seed=7))
    assert (list(made.style_shots), made.shots_per_style, made.total_shots) == ([1, 3], 0, 4)
    painted = [(image.style.removeprefix("styles/"), image.seed) for image in made.images]
    assert painted == [(STYLES[0], 7), (STYLES[1], 7), (STYLES[1], 8), (STYLES[1], 9)]
    even = await world.acme.finished_gallery(await world.acme.gallery(subject, STYLES, style_shots=[2, 2]))
    assert (list(even.style_shots), even.shots_per_style) == ([2, 2], 2)


async def test_styles_have_seeds_of_their_own_where_that_is_asked_for(world: World, subject: str) -> None:
    varied = galleries_pb2.STYLE_SEEDS_VARIED
    name = await world.acme.gallery(subject, STYLES, style_shots=[1, 3], seed=2**32 - 1, style_seeds=varied)
    made = await world.acme.finished_gallery(name)
    first = {
        style: (2**32 - 1 + int.from_bytes(hashlib.sha256(style.encode()).digest()[:4], "big")) % 2**32
        for style in STYLES
    }
    painted = [(image.style.removeprefix("styles/"), image.seed) for image in made.images]
    assert painted == [(STYLES[0], first[STYLES[0]]), *((STYLES[1], first[STYLES[1]] + shot) for shot in range(3))]
    assert (made.style_seeds, made.seed) == (varied, 2**32 - 1)
    unsaid = await world.acme.finished_gallery(await world.acme.gallery(subject, STYLES, shots_per_style=1))
    assert unsaid.style_seeds == galleries_pb2.STYLE_SEEDS_SAME
    assert [image.seed for image in unsaid.images] == [0, 0]


async def test_numbers_of_shots_that_fit_no_gallery_are_refused(world: World, subject: str) -> None:
    for wrong in ({"style_shots": [1]}, {"style_shots": [1, 2, 3]}, {"style_shots": [1, 2], "shots_per_style": 1}):
        with refused(InvalidArgumentError, "STYLE_SHOTS_INVALID"):
            await world.acme.gallery(subject, STYLES, **wrong)
    with refused(InvalidArgumentError, "TOO_MANY_SHOTS") as caught:
        await world.acme.gallery(subject, STYLES, style_shots=[80, 81])
    assert [violation.field for violation in caught.value.violations] == ["style_shots"]
    with refused(InvalidArgumentError, "PROFILE_UNKNOWN") as caught:
        await world.acme.gallery(subject, profile="profiles/nobodys")
    assert [violation.field for violation in caught.value.violations] == ["profile"]
    assert world.rows(schema.galleries) == world.rows(schema.shots) == []


async def test_validate_only_makes_nothing(world: World, subject: str) -> None:
    request = galleries_pb2.CreateGalleryRequest(parent=subject, styles=["styles/stage-red-shirt"], validate_only=True)
    gallery = (await world.acme("CreateGallery", request)).gallery
    assert (gallery.total_shots, gallery.state) == (4, jobs_pb2.JOB_STATE_PENDING)
    assert world.rows(schema.galleries) == []


async def test_the_same_request_id_makes_one_gallery(world: World, subject: str) -> None:
    first = await world.acme.gallery(subject, shots_per_style=2, request_id="once")
    assert await world.acme.gallery(subject, shots_per_style=2, request_id="once") == first
    await world.acme.finished_gallery(first)
    assert await world.acme.gallery(subject, shots_per_style=2, request_id="once") == first
    assert world.generator.finished.total() == 2


async def test_pages_are_newest_first_and_without_images(world: World, subject: str) -> None:
    names = []
    for seed in range(3):
        names.append(await world.acme.gallery(subject, shots_per_style=1, seed=seed))
        await world.acme.finished_gallery(names[-1])
    page = await world.acme("ListGalleries", galleries_pb2.ListGalleriesRequest(parent=subject, page_size=2))
    request = galleries_pb2.ListGalleriesRequest(parent=subject, page_token=page.next_page_token)
    rest = await world.acme("ListGalleries", request)
    assert [gallery.name for gallery in [*page.galleries, *rest.galleries]] == names[::-1]
    assert all(gallery.completed_shots == 1 and not gallery.images for gallery in page.galleries)
    with refused(InvalidArgumentError, "PAGE_TOKEN_INVALID"):
        await world.acme("ListGalleries", galleries_pb2.ListGalleriesRequest(parent=subject, page_token="bm9uc2Vuc2U"))


async def test_a_new_training_does_not_change_a_gallery(world: World, subject: str) -> None:
    world.generator.hold()
    name = await world.acme.gallery(subject, shots_per_style=6)
    await until(lambda: world.generator.running == 4)
    await world.acme.upload(subject, selfie(50))
    await world.acme.finished_training((await world.acme.create_training(subject)).name)
    world.generator.permit()
    gallery = await world.acme.finished_gallery(name)
    assert {request.adapter.sha256 for request in world.generator.requests} == {gallery.adapter_sha256}
    second = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    assert second.adapter_sha256 != gallery.adapter_sha256
