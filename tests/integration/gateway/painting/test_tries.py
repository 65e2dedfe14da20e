"""A refused shot is painted from further seeds until an image is accepted, or its tries are used up."""

from __future__ import annotations

import pytest

from headshots import schema
from headshots.acceptance.profiles import PROFILE_WORTHY
from headshots.errors import FailedPreconditionError, InvalidArgumentError
from headshots.v1 import galleries_pb2, images_pb2, jobs_pb2
from tests.support.gateway.caller import refused
from tests.support.gateway.judging import paints, reasons, sitter, small, stranger
from tests.support.gateway.world import World
from tests.support.waiting import until

ACCEPTED, REFUSED = images_pb2.ACCEPTANCE_ACCEPTED, images_pb2.ACCEPTANCE_REFUSED


async def stored(world: World) -> list[str]:
    return [key for key in await world.store.list("tenants") if "/images/" in key]


async def test_a_refused_shot_is_painted_from_the_next_seed_of_its_style(world: World) -> None:
    subject = await sitter(world)
    paints(world, [6, 7])
    paints(world, [5], stranger)
    name = await world.acme.gallery(subject, shots_per_style=2, seed=5, max_tries=3)
    gallery = await world.acme.finished_gallery(name)
    assert [(image.seed, image.tries) for image in gallery.images] == [(7, 2), (6, 1)]
    assert [image.verdict.acceptance for image in gallery.images] == [ACCEPTED, ACCEPTED]
    assert (gallery.accepted_shots, gallery.tries, gallery.completed_shots) == (2, 3, 2)
    assert gallery.guarantee == galleries_pb2.GUARANTEE_MET
    assert (gallery.profile, gallery.profile_version) == ("profiles/profile-worthy", PROFILE_WORTHY.version)
    verdict = gallery.images[0].verdict
    assert (verdict.profile, verdict.profile_version) == ("profiles/profile-worthy", PROFILE_WORTHY.version)
    assert verdict.analyzer == "colour-1"
    assert {"NOT_ALIKE", "FACE_TOO_SMALL", "NEAR_DUPLICATE"} <= {check.reason for check in verdict.checks}
    assert all(check.HasField("measured") and check.HasField("limit") for check in verdict.checks)
    assert sorted(world.generator.finished.values()) == [1, 1, 1]


@pytest.mark.parametrize(
    ("refused_seeds", "shots", "tries", "accepted"),
    [
        pytest.param((0, 4, 8, 12), 4, [5, 1, 1, 1], 4, id="the budget is enough"),
        pytest.param((0, 4, 8, 12, 16), 4, [5, 1, 1, 1], 3, id="the budget is spent"),
        pytest.param((0, 4, 8, 12, 1, 5, 9, 13), 4, [3, 3, 1, 1], 2, id="two share what is left"),
        pytest.param((0, 8, 16, 24, 32, 40), 8, [6, *[1] * 7], 7, id="one gets three times its share at most"),
    ],
)
async def test_a_hard_shot_has_the_tries_that_the_others_leave(
    refused_seeds: tuple[int, ...], shots: int, tries: list[int], accepted: int, world: World
) -> None:
    subject = await sitter(world, shots_in_flight=1)
    paints(world, range(6 * shots))
    paints(world, refused_seeds, stranger)
    gallery = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=shots, max_tries=2))
    assert [image.tries for image in gallery.images] == tries
    assert gallery.accepted_shots == accepted


async def test_a_shot_without_an_accepted_image_keeps_the_most_alike_of_its_tries(world: World) -> None:
    subject = await sitter(world)
    paints(world, [0, 2, 3], stranger)
    paints(world, [1], small)
    name = await world.acme.gallery(subject, shots_per_style=1, max_tries=3)
    gallery = await world.acme.finished_gallery(name)
    [image] = gallery.images
    assert (image.seed, image.tries, image.verdict.acceptance) == (1, 3, REFUSED)
    assert "FACE_TOO_SMALL" in reasons(image)
    assert "NOT_ALIKE" not in reasons(image)
    assert (gallery.state, gallery.accepted_shots) == (jobs_pb2.JOB_STATE_SUCCEEDED, 0)
    assert gallery.guarantee == galleries_pb2.GUARANTEE_NOT_MET
    assert {seed for _, seed in world.generator.finished} == {0, 1, 2}
    file = (await world.acme("GetImage", galleries_pb2.GetImageRequest(name=image.name))).content
    assert file == small(1)
    # What else was tried is kept with it, and goes with it.
    assert len(await stored(world)) == 3
    await world.acme("DeleteImage", galleries_pb2.DeleteImageRequest(name=image.name))
    assert await stored(world) == []
    [row] = world.rows(schema.shots)
    assert (row.refused_tries, row.judged, row.tries) == (None, None, 3)


async def test_an_erased_gallery_takes_the_refused_tries_with_it(world: World) -> None:
    subject = await sitter(world)
    paints(world, [0], stranger)
    paints(world, [1])
    name = await world.acme.gallery(subject, shots_per_style=1, max_tries=2)
    await world.acme.finished_gallery(name)
    # The other gallery's only image is what the first had tried.
    other = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    assert len(await stored(world)) == 2
    answer = await world.acme("DeleteGallery", galleries_pb2.DeleteGalleryRequest(name=other.name))
    assert answer.deleted_objects == 0
    answer = await world.acme("DeleteGallery", galleries_pb2.DeleteGalleryRequest(name=name))
    assert answer.deleted_objects == 2
    assert await stored(world) == []


async def test_a_picture_that_a_further_try_may_paint_again_stays_until_then(world: World) -> None:
    subject = await sitter(world)
    paints(world, range(7))
    done = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=7))
    world.generator.hold()
    # Of four tries in all, one of the two may have three.
    running = await world.acme.gallery(subject, shots_per_style=2, max_tries=2)
    for image in done.images[:6]:
        with refused(FailedPreconditionError, "IMAGE_IN_USE") as caught:
            await world.acme("DeleteImage", galleries_pb2.DeleteImageRequest(name=image.name))
        assert caught.value.metadata["name"] == running
    await world.acme("DeleteImage", galleries_pb2.DeleteImageRequest(name=done.images[6].name))
    world.generator.permit()
    await world.acme.finished_gallery(running)


async def test_a_shot_whose_last_try_fails_ends_with_the_one_before(world: World) -> None:
    subject = await sitter(world)
    paints(world, [0], stranger)
    world.generator.errors_by_seed[1] = InvalidArgumentError("NO_SUCH_SEED", "never")
    gallery = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1, max_tries=2))
    assert [(image.seed, image.tries) for image in gallery.images] == [(0, 1)]
    assert (gallery.state, gallery.failed_shots) == (jobs_pb2.JOB_STATE_SUCCEEDED, 0)
    assert gallery.guarantee == galleries_pb2.GUARANTEE_NOT_MET
    assert (gallery.failure.reason, "shot 0: never" in gallery.failure.message) == ("NO_SUCH_SEED", True)


async def test_a_gallery_that_is_cancelled_between_two_tries_ends(world: World) -> None:
    subject = await sitter(world)
    paints(world, range(10), stranger)
    world.generator.hold(1)
    name = await world.acme.gallery(subject, shots_per_style=1, max_tries=10)
    await until(lambda: [row.tries for row in world.rows(schema.shots)] == [1])
    await world.acme("CancelGallery", galleries_pb2.CancelGalleryRequest(name=name))
    gallery = await world.acme.finished_gallery(name)
    assert (gallery.state, list(gallery.images)) == (jobs_pb2.JOB_STATE_CANCELLED, [])
    assert gallery.guarantee == galleries_pb2.GUARANTEE_UNSPECIFIED
    answer = await world.acme("DeleteGallery", galleries_pb2.DeleteGalleryRequest(name=name))
    assert answer.deleted_objects >= 1
    assert await stored(world) == []
