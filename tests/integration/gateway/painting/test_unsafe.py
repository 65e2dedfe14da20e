"""Painted images that the analyzer's safety net tells unsafe are painted again, and never delivered by default."""

from __future__ import annotations

import pytest

from headshots import schema
from headshots.faces import Pixels
from headshots.v1 import galleries_pb2, images_pb2, jobs_pb2
from tests.support.gateway.judging import good, paints, reasons, sitter, small, stranger
from tests.support.gateway.world import World
from tests.support.images.faces import SmallIsUnsafe
from tests.support.images.pictures import files

ACCEPTED, REFUSED = images_pb2.ACCEPTANCE_ACCEPTED, images_pb2.ACCEPTANCE_REFUSED


async def gallery_of(world: World, subject: str, **order: object) -> galleries_pb2.Gallery:
    """One shot, three tries."""
    name = await world.acme.gallery(subject, shots_per_style=1, max_tries=3, **order)
    return await world.acme.finished_gallery(name)


async def content(world: World, image: images_pb2.Image) -> bytes:
    answer = await world.acme("GetImage", galleries_pb2.GetImageRequest(name=image.name))
    return bytes(answer.content)


async def test_an_unsafe_image_is_painted_again(world: World) -> None:
    subject = await sitter(world, SmallIsUnsafe())
    paints(world, [0], small)
    paints(world, [1])
    [image] = (await gallery_of(world, subject)).images
    assert (image.seed, image.tries, image.verdict.acceptance) == (1, 2, ACCEPTED)
    [check] = [check for check in image.verdict.checks if check.reason == "UNSAFE"]
    assert check.passed
    assert (check.measured, check.limit) == pytest.approx((0.05, 0.8))


async def test_an_unsafe_image_is_not_delivered_even_where_it_is_the_most_alike(world: World) -> None:
    subject = await sitter(world, SmallIsUnsafe())
    paints(world, [0, 2], small)
    paints(world, [1], stranger)
    gallery = await gallery_of(world, subject)
    [image] = gallery.images
    assert (image.seed, image.tries, image.verdict.acceptance) == (1, 3, REFUSED)
    assert "NOT_ALIKE" in reasons(image)
    assert await content(world, image) == stranger(1)
    assert gallery.guarantee == galleries_pb2.GUARANTEE_NOT_MET


async def test_a_shot_whose_images_are_all_unsafe_fails_and_delivers_none(world: World) -> None:
    subject = await sitter(world, SmallIsUnsafe())
    paints(world, [0, 1, 2], small)
    gallery = await gallery_of(world, subject)
    assert list(gallery.images) == []
    assert (gallery.state, gallery.completed_shots, gallery.failed_shots) == (jobs_pb2.JOB_STATE_FAILED, 0, 1)
    assert gallery.failure.reason == "IMAGES_UNSAFE"
    assert "nudity" in gallery.failure.message
    listed = await world.acme("ListImages", galleries_pb2.ListImagesRequest(parent=gallery.name))
    assert list(listed.images) == []
    [row] = world.rows(schema.shots)
    assert (row.image_key, len(row.refused_tries)) == (None, 3)
    # The files go with the gallery.
    await world.acme("DeleteGallery", galleries_pb2.DeleteGalleryRequest(name=gallery.name))
    assert [key for key in await world.store.list("tenants") if "/images/" in key] == []


async def test_it_is_looked_at_also_where_no_photo_shows_a_face_to_compare_with(world: World) -> None:
    subject = await sitter(world, SmallIsUnsafe())
    other = await world.acme.subject()
    await world.acme.upload(other, *files(range(6)))
    await world.acme.finished_training((await world.acme.create_training(other)).name)
    assert subject != other
    paints(world, [0], small)
    paints(world, [1])
    [image] = (await gallery_of(world, other)).images
    assert (image.seed, image.tries) == (1, 2)
    assert image.verdict.acceptance == images_pb2.ACCEPTANCE_NOT_MEASURED
    assert {check.reason: check.passed for check in image.verdict.checks} == {"NOT_MEASURED": False, "UNSAFE": True}


async def test_an_operator_may_have_it_told_and_not_withheld(world: World) -> None:
    subject = await sitter(world, SmallIsUnsafe(), unsafe_images="review")
    paints(world, [0], small)
    paints(world, [1, 2], stranger)
    [image] = (await gallery_of(world, subject)).images
    assert (image.seed, image.tries, image.verdict.acceptance) == (0, 3, REFUSED)
    assert "UNSAFE" in reasons(image)
    assert await content(world, image) == small(0)


async def test_an_operator_may_have_nobody_look(world: World) -> None:
    analyzer = SmallIsUnsafe()
    subject = await sitter(world, analyzer, unsafe_images="ignore")
    paints(world, [0, 1, 2])
    [image] = (await gallery_of(world, subject)).images
    assert await content(world, image) == good(0)
    assert "UNSAFE" not in {check.reason for check in image.verdict.checks}
    assert analyzer.looks == 0


class Broken(SmallIsUnsafe):
    """Its net works at the start and breaks then."""

    def unsafe(self, pixels_HWC: Pixels) -> float:
        if pixels_HWC.shape[0] > 16:
            raise ZeroDivisionError("a defect of the net's")
        return 0.0


async def test_what_could_not_be_looked_at_is_not_delivered(world: World) -> None:
    subject = await sitter(world, Broken(), shot_max_attempts=1)
    paints(world, [0, 1, 2])
    gallery = await gallery_of(world, subject)
    assert list(gallery.images) == []
    assert (gallery.failed_shots, gallery.failure.reason) == (1, "INTERNAL")
