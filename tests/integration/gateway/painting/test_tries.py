"""A refused shot is painted from further seeds until an image is accepted, or its tries are used up."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from headshots import schema
from headshots.errors import FailedPreconditionError, InvalidArgumentError
from headshots.faces import Face, Pixels
from headshots.v1 import galleries_pb2, images_pb2, jobs_pb2
from tests.support.gateway.caller import refused
from tests.support.gateway.judging import alike, good, paints, reasons, sitter, small, stranger
from tests.support.gateway.world import World
from tests.support.images.faces import ColourAnalyzer
from tests.support.waiting import PATIENCE_SECONDS, until

ACCEPTED, REFUSED = images_pb2.ACCEPTANCE_ACCEPTED, images_pb2.ACCEPTANCE_REFUSED
NOT_MEASURED = images_pb2.ACCEPTANCE_NOT_MEASURED


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
    assert (gallery.profile, gallery.profile_version) == ("profiles/profile-worthy", 1)
    verdict = gallery.images[0].verdict
    assert (verdict.profile, verdict.profile_version, verdict.analyzer) == ("profiles/profile-worthy", 1, "colour-1")
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
    assert [(image.seed, image.tries, image.verdict.acceptance) for image in fourth.images] == [(5, 2, ACCEPTED)]


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


async def test_without_an_analyzer_nothing_is_measured_and_nothing_painted_again(world: World) -> None:
    subject = await sitter(world, judged=False)
    name = await world.acme.gallery(subject, shots_per_style=2, max_tries=3)
    gallery = await world.acme.finished_gallery(name)
    assert [(image.tries, image.verdict.acceptance) for image in gallery.images] == [(1, NOT_MEASURED)] * 2
    assert (gallery.tries, gallery.accepted_shots) == (2, 0)
    assert gallery.guarantee == galleries_pb2.GUARANTEE_NOT_MEASURED


class SometimesBlind(ColourAnalyzer):
    """Breaks at the third painted picture."""

    def faces(self, pixels_HWC: Pixels) -> list[Face]:
        found = super().faces(pixels_HWC)
        if self.calls == 6 + 3:
            raise ZeroDivisionError("a defect of the analyzer's")
        return found


@pytest.mark.parametrize(("picture", "outcome"), [(good, ACCEPTED), (stranger, REFUSED)])
async def test_one_image_that_was_not_measured_is_no_guarantee(
    picture: Callable[[int], bytes], outcome: int, world: World
) -> None:
    subject = await sitter(world, SometimesBlind(), shots_in_flight=1)
    paints(world, range(3), picture)
    name = await world.acme.gallery(subject, shots_per_style=3, max_tries=1)
    gallery = await world.acme.finished_gallery(name)
    assert [image.verdict.acceptance for image in gallery.images] == [outcome, outcome, NOT_MEASURED]
    assert gallery.guarantee == galleries_pb2.GUARANTEE_NOT_MEASURED
    assert gallery.tries == 3


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


async def test_tries_of_a_killed_gateway_are_kept_and_nothing_is_painted_twice(world: World) -> None:
    subject = await sitter(world)
    paints(world, [0, 1], stranger)
    paints(world, [2])
    world.generator.hold(2)
    name = await world.acme.gallery(subject, shots_per_style=1, max_tries=3)
    await until(lambda: [row.tries for row in world.rows(schema.shots)] == [2])
    await until(lambda: world.generator.running == 1)
    await world.kill()
    await until(lambda: world.generator.running == 0)
    world.expire_leases()
    await world.start(photo_max_pixels=1_000_000)
    world.generator.permit()
    [image] = (await world.acme.finished_gallery(name)).images
    assert (image.seed, image.tries, image.verdict.acceptance) == (2, 3, ACCEPTED)
    assert sorted((seed, times) for (_, seed), times in world.generator.finished.items()) == [(0, 1), (1, 1), (2, 1)]


class Frozen(ColourAnalyzer):
    """Stops at the first painted picture until it is let go, and then sees nobody in it."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped, self.let_go = threading.Event(), threading.Event()

    def faces(self, pixels_HWC: Pixels) -> list[Face]:
        found = super().faces(pixels_HWC)
        if self.calls <= 6:
            return found
        self.stopped.set()
        self.let_go.wait(PATIENCE_SECONDS)
        return []


async def test_the_late_verdict_of_a_frozen_gateway_changes_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    frozen = Frozen()
    # With no room for another shot, it does not claim its own again.
    subject = await sitter(world, frozen, shots_in_flight=1)
    paints(world, [0])
    name = await world.acme.gallery(subject, shots_per_style=1, max_tries=3)
    await until(frozen.stopped.is_set)
    first = world.gateway
    assert first is not None
    world.expire_leases()
    world.analyzer = ColourAnalyzer()
    await world.start(photo_max_pixels=1_000_000)
    gallery = await world.acme.finished_gallery(name)
    assert (gallery.accepted_shots, gallery.tries) == (1, 1)
    before = world.rows(schema.shots)
    frozen.let_go.set()
    await until(lambda: "the lease was lost to another worker; nothing was written" in caplog.text)
    assert world.rows(schema.shots) == before
    assert (await world.acme.finished_gallery(name)) == gallery
    await first.close()
    await first.server.stop(0)


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


async def test_a_gallery_of_before_images_were_judged_goes_on_and_promises_nothing(world: World) -> None:
    subject = await sitter(world)
    paints(world, [0, 1])
    world.generator.hold(1)
    name = await world.acme.gallery(subject, shots_per_style=2)
    await until(lambda: sorted(row.tries for row in world.rows(schema.shots)) == [0, 1])
    with world.database.begin() as connection:
        connection.execute(sa.update(schema.galleries).values(profile=None, style_shots=None))
        connection.execute(sa.update(schema.shots).values(acceptance=None, judged=None))
    world.generator.permit()
    gallery = await world.acme.finished_gallery(name)
    assert sorted(image.HasField("verdict") for image in gallery.images) == [False, True]
    assert (gallery.total_shots, gallery.profile) == (2, "")
    assert gallery.guarantee == galleries_pb2.GUARANTEE_NOT_MEASURED
