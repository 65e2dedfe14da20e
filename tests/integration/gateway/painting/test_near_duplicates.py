"""Of images that are alike one is accepted."""

from __future__ import annotations

from headshots import schema
from headshots.v1 import galleries_pb2, images_pb2
from tests.support.gateway.judging import alike, good, paints, reasons, sitter
from tests.support.gateway.world import World


async def test_an_image_in_place_of_another_is_no_near_duplicate_of_those_it_joins(world: World) -> None:
    subject = await sitter(world)
    paints(world, [0, 1])
    old = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=2, max_tries=1))
    assert old.guarantee == galleries_pb2.GUARANTEE_MET

    async def regenerated(image: str) -> list[tuple[int, list[list[str]]]]:
        request = galleries_pb2.RegenerateImageRequest(name=image, max_tries=3)
        name = (await world.acme("RegenerateImage", request)).gallery.name
        gallery = await world.acme.finished_gallery(name)
        [row] = [row for row in world.rows(schema.shots) if row.gallery_id == name.rpartition("/")[2]]
        tried = [each["judgement"]["verdict"]["checks"] for each in row.refused_tries or ()]
        failed = [[check["reason"] for check in checks if not check["passed"]] for checks in tried]
        return [(image.seed, failed) for image in gallery.images]

    # The one that is disliked, the one that stays beside it, then another.
    world.generator.pictures |= {2: alike(0), 3: alike(1), 4: good(20)}
    assert await regenerated(old.images[0].name) == [(4, [["NEAR_DUPLICATE"]] * 2)]
    # That which replaced the first, then another.
    world.generator.pictures |= {5: alike(20), 6: good(30)}
    assert await regenerated(old.images[1].name) == [(6, [["NEAR_DUPLICATE"]])]


async def test_what_replaced_an_erased_replacement_still_knows_those_it_joins(world: World) -> None:
    subject = await sitter(world)
    paints(world, [0, 1, 2, 3, 5])
    old = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=2, max_tries=1))

    async def regenerated(image: str, max_tries: int = 1) -> galleries_pb2.Gallery:
        request = galleries_pb2.RegenerateImageRequest(name=image, max_tries=max_tries)
        return await world.acme.finished_gallery((await world.acme("RegenerateImage", request)).gallery.name)

    second = await regenerated(old.images[0].name)
    third = await regenerated(second.images[0].name)
    await world.acme("DeleteGallery", galleries_pb2.DeleteGalleryRequest(name=second.name))
    found = (await world.acme("GetGallery", galleries_pb2.GetGalleryRequest(name=third.name))).gallery
    assert found.regenerates == old.images[0].name
    # As the one that stays beside the first, then another.
    world.generator.pictures |= {4: alike(1)}
    fourth = await regenerated(third.images[0].name, max_tries=2)
    assert [(image.seed, image.tries, image.verdict.acceptance) for image in fourth.images] == [
        (5, 2, images_pb2.ACCEPTANCE_ACCEPTED)
    ]


async def test_of_two_near_duplicates_one_is_accepted_and_the_other_painted_again(world: World) -> None:
    subject = await sitter(world)
    paints(world, [2, 3])
    world.generator.pictures |= {0: good(0), 1: alike(0)}
    name = await world.acme.gallery(subject, shots_per_style=2, max_tries=2)
    gallery = await world.acme.finished_gallery(name)
    assert {image.seed for image in gallery.images} in ({0, 3}, {1, 2})
    assert gallery.guarantee == galleries_pb2.GUARANTEE_MET
    assert gallery.tries == 3


async def test_a_near_duplicate_that_may_not_be_painted_again_is_refused_for_that(world: World) -> None:
    subject = await sitter(world)
    world.generator.pictures |= {0: good(0), 1: alike(0)}
    gallery = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=2))
    assert sorted(map(reasons, gallery.images)) == [[], ["NEAR_DUPLICATE"]]
    assert gallery.guarantee == galleries_pb2.GUARANTEE_NOT_MET
