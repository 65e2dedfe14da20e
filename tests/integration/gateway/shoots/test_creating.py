"""One order trains, paints and ends; what is asked is checked before anything is made."""

from __future__ import annotations

import asyncio

import sqlalchemy as sa

from headshots import schema
from headshots.acceptance.profiles import PROFILE_WORTHY
from headshots.database import write
from headshots.errors import AlreadyExistsError, FailedPreconditionError
from headshots.v1 import galleries_pb2, images_pb2, jobs_pb2, photos_pb2, profiles_pb2, shoots_pb2, styles_pb2
from tests.support.gateway import shoots
from tests.support.gateway.caller import refused
from tests.support.gateway.judging import paints, sitter, stranger
from tests.support.gateway.world import World

MADE = (schema.trainings, schema.training_events, schema.galleries, schema.shots, schema.shoots, schema.shoot_events)


async def test_a_shoot_trains_on_usable_photos_paints_and_ends(world: World, subject: str) -> None:
    unsaid = galleries_pb2.STYLE_SEEDS_UNSPECIFIED
    made = await shoots.order(world.acme, subject, seed=7, style_seeds=unsaid)
    assert made.stage == shoots_pb2.SHOOT_STAGE_TRAINING
    assert (made.trains, made.gallery, made.asked, list(made.style_shots)) == (True, "", 3, [2, 1])
    assert (made.profile, made.profile_version) == ("profiles/profile-worthy", PROFILE_WORTHY.version)
    assert made.max_tries == 3
    shoot = await shoots.finished(world.acme, made.name)
    assert (shoot.state, shoot.stage) == (jobs_pb2.JOB_STATE_SUCCEEDED, shoots_pb2.SHOOT_STAGE_ENDED)
    training = await world.acme.get_training(shoot.training)
    assert (training.photo_count, training.state) == (7, jobs_pb2.JOB_STATE_SUCCEEDED)
    assert (shoot.training_step, shoot.training_total_steps) == (3, 3)
    gallery = (await world.acme("GetGallery", galleries_pb2.GetGalleryRequest(name=shoot.gallery))).gallery
    assert list(gallery.styles) == list(shoot.styles) == list(shoots.STYLES)
    assert list(gallery.style_shots) == list(shoot.style_shots) == [2, 1]
    # Styles have seeds of their own unless the order says otherwise.
    assert shoot.style_seeds == gallery.style_seeds == galleries_pb2.STYLE_SEEDS_VARIED
    first, second, third = (image.seed for image in gallery.images)
    assert (second - first, 7 in (first, third)) == (1, False)
    # Nobody looks at the images here, so nothing is promised of them.
    assert (shoot.completed_shots, shoot.tries, shoot.delivered) == (3, 3, 0)
    assert shoot.guarantee == galleries_pb2.GUARANTEE_NOT_MEASURED
    assert shoot.HasField("end_time")


async def test_all_styles_have_the_same_seeds_where_a_shoot_asks_for_them(world: World, subject: str) -> None:
    made = await shoots.order(world.acme, subject, seed=7, style_seeds=galleries_pb2.STYLE_SEEDS_SAME)
    shoot = await shoots.finished(world.acme, made.name)
    gallery = (await world.acme("GetGallery", galleries_pb2.GetGalleryRequest(name=shoot.gallery))).gallery
    assert [image.seed for image in gallery.images] == [7, 8, 7]
    assert shoot.style_seeds == galleries_pb2.STYLE_SEEDS_SAME


async def test_its_labels_are_on_its_training_and_its_gallery_and_its_external_id_is_not(
    world: World, subject: str
) -> None:
    labels = {"order": "4711"}
    first = await shoots.order(world.acme, subject, labels=labels, external_id="order-4711")
    first = await shoots.finished(world.acme, first.name)
    # The next one begins with its gallery, and its training is the first one's.
    second = await shoots.order(world.acme, subject, labels={"order": "4712"}, external_id="order-4712")
    assert (second.trains, second.training) == (False, first.training)
    training = await world.acme.get_training(first.training)
    assert (dict(training.labels), training.external_id) == (labels, "")
    request = galleries_pb2.ListGalleriesRequest(parent=subject, labels=labels)
    listed = (await world.acme("ListGalleries", request)).galleries
    assert [(each.name, each.external_id) for each in listed] == [(first.gallery, "")]
    gallery = (await world.acme("GetGallery", galleries_pb2.GetGalleryRequest(name=second.gallery))).gallery
    assert (dict(gallery.labels), gallery.external_id) == ({"order": "4712"}, "")


async def test_refused_portraits_are_painted_again_until_all_are_accepted(world: World) -> None:
    subject = await sitter(world)
    paints(world, range(1, 9))
    paints(world, [0], stranger)
    made = await shoots.order(world.acme, subject, count=2, styles=shoots.STYLES[:1])
    events = await shoots.watched(world.acme, made.name, after_event=0)
    shoot = events[-1].shoot
    assert (shoot.asked, shoot.delivered, shoot.completed_shots, shoot.tries) == (2, 2, 2, 3)
    assert (shoot.state, shoot.guarantee) == (jobs_pb2.JOB_STATE_SUCCEEDED, galleries_pb2.GUARANTEE_MET)
    images = [image for each in events for image in each.images]
    assert sorted(image.seed for image in images) == [1, 2]
    assert all(image.verdict.acceptance == images_pb2.ACCEPTANCE_ACCEPTED for image in images)
    assert {each.shoot.guarantee for each in events[:-1]} == {galleries_pb2.GUARANTEE_UNSPECIFIED}
    assert [each.shoot.tries for each in events] == sorted(each.shoot.tries for each in events)
    # The next one is quoted with the tries that this one took.
    assert (await shoots.order(world.acme, subject, count=4, validate_only=True)).quote.images == 6


async def test_portraits_that_no_seed_makes_acceptable_break_the_guarantee(world: World) -> None:
    subject = await sitter(world)
    paints(world, range(9), stranger)
    shoot = await shoots.finished(world.acme, (await shoots.order(world.acme, subject, max_tries=2)).name)
    assert (shoot.state, shoot.guarantee) == (jobs_pb2.JOB_STATE_SUCCEEDED, galleries_pb2.GUARANTEE_NOT_MET)
    assert (shoot.asked, shoot.completed_shots, shoot.delivered, shoot.tries) == (3, 3, 0, 6)


async def test_an_adapter_that_is_there_is_taken_unless_another_is_wanted(world: World, subject: str) -> None:
    first = await shoots.finished(world.acme, (await shoots.order(world.acme, subject)).name)
    second = await shoots.order(world.acme, subject)
    assert (second.trains, second.training, second.stage) == (False, first.training, shoots_pb2.SHOOT_STAGE_PAINTING)
    assert second.gallery
    await shoots.finished(world.acme, second.name)
    named = await world.acme("ListPhotos", photos_pb2.ListPhotosRequest(parent=subject, page_size=6))
    for changes, learned in (({"retrain": True}, 7), ({"photos": [photo.name for photo in named.photos]}, 6)):
        other = await shoots.order(world.acme, subject, **changes)
        assert other.trains
        assert other.training not in (first.training, second.training)
        assert (await world.acme.get_training(other.training)).photo_count == learned
        await shoots.finished(world.acme, other.name)


async def test_an_adapter_of_another_foundation_is_not_taken(world: World, subject: str) -> None:
    first = await shoots.finished(world.acme, (await shoots.order(world.acme, subject)).name)
    # Reads and writes at once: while the gateway writes, a reader of SQLite may not begin to.
    with write(world.database) as connection:
        job = dict(connection.execute(sa.select(schema.trainings.c.job)).scalar_one())
        job["adapter"] = {**job["adapter"], "foundation_digest": "0d" * 32}
        connection.execute(sa.update(schema.trainings).values(job=job))
    second = await shoots.order(world.acme, subject)
    assert second.trains
    assert second.training != first.training


async def test_a_pack_is_spread_in_its_proportions(world: World, subject: str) -> None:
    shoot = await shoots.order(world.acme, subject, count=5, pack="packs/business", validate_only=True)
    assert shoot.pack == "packs/business"
    assert dict(zip(shoot.styles, shoot.style_shots, strict=True)) == {
        "styles/studio-navy-suit": 2,
        "styles/boardroom-grey-blazer": 1,
        "styles/office-beige-blazer": 1,
        "styles/studio-white-shirt": 1,
    }
    # A style whose share is none is not there at all.
    one = await shoots.order(world.acme, subject, count=1, pack="packs/business", validate_only=True)
    assert (list(one.styles), list(one.style_shots)) == (["styles/studio-navy-suit"], [1])


async def test_what_is_only_checked_leaves_nothing(world: World, subject: str) -> None:
    checked = await shoots.order(world.acme, subject, validate_only=True)
    assert (checked.asked, checked.trains, checked.quote.images) == (3, True, 3)
    assert not any(world.rows(table) for table in MADE)
    await shoots.finished(world.acme, (await shoots.order(world.acme, subject)).name)
    before = [world.rows(table) for table in MADE]
    assert (await shoots.order(world.acme, subject, validate_only=True)).trains is False
    assert [world.rows(table) for table in MADE] == before


async def test_what_is_planned_is_frozen(world: World, subject: str) -> None:
    """Style and profile get new versions, and the style goes out of use, while it trains."""
    acme = world.acme
    before, after = (styles_pb2.StyleRecipe(prompt=f"{word} of {{subject}}") for word in ("photo", "drawing"))
    await acme("CreateStyle", styles_pb2.CreateStyleRequest(style_id="mine", recipe=before))
    await acme("CreateProfile", profiles_pb2.CreateProfileRequest(profile_id="mine"))
    world.trainer.go.clear()
    made = await shoots.order(acme, subject, styles=["styles/mine"], profile="profiles/mine")
    (ordered,) = world.rows(schema.shoots)
    tighter = profiles_pb2.AcceptanceLimits(min_sharpness=0.9)
    await acme("UpdateProfile", profiles_pb2.UpdateProfileRequest(name="profiles/mine", limits=tighter))
    await acme("UpdateStyle", styles_pb2.UpdateStyleRequest(name="styles/mine", recipe=after))
    await acme("ArchiveStyle", styles_pb2.ArchiveStyleRequest(name="styles/mine"))
    world.trainer.go.set()
    shoot = await shoots.finished(acme, made.name)
    assert (shoot.profile_version, shoot.completed_shots) == (1, 3)
    gallery = (await acme("GetGallery", galleries_pb2.GetGalleryRequest(name=shoot.gallery))).gallery
    assert {(image.verdict.profile_version, image.prompt.split()[0]) for image in gallery.images} == {(1, "photo")}
    (painted,) = world.rows(schema.galleries)
    assert painted.styles == ordered.plan["recipes"]
    assert painted.profile == ordered.plan["profile"]
    assert (painted.max_tries, shoot.max_tries) == (3, 3)


async def test_a_repeated_order_is_answered_by_the_first_also_from_another_gateway(world: World, subject: str) -> None:
    world.trainer.go.clear()
    first = await shoots.order(world.acme, subject, request_id="once")
    assert (await shoots.order(world.acme, subject, request_id="once")).name == first.name
    await world.kill()
    await world.start(photo_max_pixels=1_000_000)
    assert (await shoots.order(world.acme, subject, request_id="once")).name == first.name
    for changes, field in (({"count": 4}, "count"), ({"retrain": True}, "retrain")):
        with refused(AlreadyExistsError, "REQUEST_ID_REUSED") as caught:
            await shoots.order(world.acme, subject, request_id="once", **changes)
        assert [violation.field for violation in caught.value.violations] == [field]
    world.trainer.go.set()
    await shoots.finished(world.acme, first.name)
    assert (await shoots.order(world.acme, subject, request_id="once")).name == first.name
    assert len(world.rows(schema.shoots)) == len(world.rows(schema.trainings)) == len(world.rows(schema.galleries)) == 1


async def test_two_equal_orders_at_once_make_one_shoot(world: World, subject: str) -> None:
    made = await asyncio.gather(*(shoots.order(world.acme, subject, request_id="once") for _ in range(2)))
    assert made[0].name == made[1].name
    assert len(world.rows(schema.shoots)) == len(world.rows(schema.trainings)) == 1


async def test_what_this_gateway_does_itself_needs_no_poll(world: World) -> None:
    await shoots.with_large_photos(world, poll_seconds=3600.0)
    made = await shoots.order(world.acme, await shoots.person(world))
    assert (await shoots.finished(world.acme, made.name)).completed_shots == 3
    again = await shoots.order(world.acme, made.name.rpartition("/shoots/")[0])
    assert (await shoots.finished(world.acme, again.name)).completed_shots == 3


async def test_a_second_training_at_a_time_is_refused(world: World, subject: str) -> None:
    world.trainer.go.clear()
    first = await shoots.order(world.acme, subject)
    with refused(FailedPreconditionError, "TRAINING_ACTIVE") as caught:
        await shoots.order(world.acme, subject)
    assert caught.value.metadata["name"] == first.training
