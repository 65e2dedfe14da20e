"""An order that cannot be met is refused with its cure, and leaves nothing behind."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from headshots import schema
from headshots.errors import (
    FailedPreconditionError,
    HeadshotsError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    ResourceExhaustedError,
    UnavailableError,
)
from headshots.rpc.fitting import LEFT_OUT
from headshots.v1 import jobs_pb2, photos_pb2, styles_pb2, trainings_pb2
from services.gateway.photos.inspector import InspectionReport, Inspector
from tests.support.gateway import shoots
from tests.support.gateway.caller import refused
from tests.support.gateway.world import World
from tests.support.images.faces import YoungAnalyzer
from tests.support.images.pictures import files

MADE = (schema.trainings, schema.galleries, schema.shots, schema.shoots, schema.shoot_events)


@pytest.mark.parametrize(
    ("asked", "error", "reason"),
    [
        ({"count": 0}, InvalidArgumentError, "CONSTRAINT_VIOLATED"),
        ({"count": 161}, InvalidArgumentError, "CONSTRAINT_VIOLATED"),
        ({"max_tries": 11}, InvalidArgumentError, "CONSTRAINT_VIOLATED"),
        ({"styles": []}, InvalidArgumentError, "PACK_OR_STYLES"),
        ({"pack": "packs/business", "styles": shoots.STYLES}, InvalidArgumentError, "PACK_OR_STYLES"),
        ({"pack": "packs/nowhere"}, NotFoundError, "PACK_NOT_FOUND"),
        ({"styles": ["styles/nowhere"]}, InvalidArgumentError, "STYLE_UNKNOWN"),
        ({"styles": ["styles/of-globex"]}, InvalidArgumentError, "STYLE_UNKNOWN"),
        ({"styles": ["styles/archived"]}, FailedPreconditionError, "STYLE_ARCHIVED"),
        ({"profile": "profiles/nowhere"}, InvalidArgumentError, "PROFILE_UNKNOWN"),
        ({"priority": jobs_pb2.PRIORITY_HIGH}, PermissionDeniedError, "PRIORITY_NOT_GRANTED"),
        ({"deadline": datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)}, InvalidArgumentError, "DEADLINE_PASSED"),
        ({"deadline": {"seconds": -(10**14)}}, InvalidArgumentError, "CONSTRAINT_VIOLATED"),
        ({"deadline": {"seconds": 10**12}}, InvalidArgumentError, "CONSTRAINT_VIOLATED"),
        ({"deadline": {"seconds": 253_402_300_799, "nanos": 999_999_999}}, InvalidArgumentError, "CONSTRAINT_VIOLATED"),
        ({"deadline": {"seconds": 4_000_000_000, "nanos": -5}}, InvalidArgumentError, "CONSTRAINT_VIOLATED"),
    ],
)
async def test_what_cannot_be_ordered(
    asked: dict[str, Any], error: type[HeadshotsError], reason: str, world: World, subject: str
) -> None:
    recipe = styles_pb2.StyleRecipe(prompt="photo of {subject}")
    for caller, style in ((world.caller(world.keys["globex"]), "of-globex"), (world.acme, "archived")):
        await caller("CreateStyle", styles_pb2.CreateStyleRequest(style_id=style, recipe=recipe))
    await world.acme("ArchiveStyle", styles_pb2.ArchiveStyleRequest(name="styles/archived"))
    for validate_only in (True, False):
        with refused(error, reason):
            await shoots.order(world.acme, subject, validate_only=validate_only, **asked)
    assert not any(world.rows(table) for table in MADE)
    assert world.trainer.jobs == {}


async def test_a_style_that_is_archived_while_photos_are_inspected_is_refused(
    world: World, subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = styles_pb2.StyleRecipe(prompt="photo of {subject}")
    await world.acme("CreateStyle", styles_pb2.CreateStyleRequest(style_id="mine", recipe=recipe))
    inspect = Inspector.inspect_stored

    async def slowly(*values: Any) -> InspectionReport:
        report = await inspect(*values)
        with world.database.begin() as connection:
            connection.execute(sa.update(schema.styles).values(archived_at=1.0))
        return report

    monkeypatch.setattr(Inspector, "inspect_stored", slowly)
    with refused(FailedPreconditionError, "STYLE_ARCHIVED"):
        await shoots.order(world.acme, subject, styles=["styles/mine"])
    assert not any(world.rows(table) for table in MADE)
    assert world.trainer.jobs == {}


async def test_too_few_usable_photos_are_told_each_with_what_is_wrong(world: World) -> None:
    subject = await shoots.person(world, usable=5, unusable=2)
    for validate_only in (True, False):
        with refused(FailedPreconditionError, "TOO_FEW_PHOTOS") as caught:
            await shoots.order(world.acme, subject, validate_only=validate_only)
    assert "6 usable photos, 5 of the subject's 7 can be used; upload others" in caught.value.message
    told = [violation.description for violation in caught.value.violations]
    assert [text.split(": ")[1].split(",")[0] for text in told] == ["BLURRY", "BLURRY"]
    assert all(text.startswith(f"{subject}/photos/") for text in told)
    assert "(5.jpg)" in told[0]
    assert "(6.jpg)" in told[1]
    assert caught.value.metadata == {"usable": "5", "needed": "6"}
    assert "InspectPhotos" in caught.value.message
    with refused(FailedPreconditionError, "TOO_FEW_PHOTOS"):
        await shoots.order(world.acme, await world.acme.subject())
    # Naming photos that are not there, or another's.
    other = await shoots.person(world)
    photos = [f"{other}/photos/{'ab' * 16}"] + [f"{subject}/photos/{number:032x}" for number in range(5)]
    with refused(NotFoundError, "PHOTO_NOT_FOUND"):
        await shoots.order(world.acme, subject, photos=photos)
    assert not any(world.rows(table) for table in MADE)


async def test_who_may_be_a_minor_is_not_trained_where_the_operator_refuses(world: World) -> None:
    await world.kill()
    world.analyzer = YoungAnalyzer()
    await world.start(photo_max_pixels=1_000_000, minors="refuse")
    subject = await world.acme.subject()
    stored = await world.acme.upload(subject, *files(range(7), "ada"))
    # Naming photos is no way round.
    for asked in ({}, {"photos": [photo.name for photo in stored]}):
        for validate_only in (True, False):
            with refused(FailedPreconditionError, "POSSIBLY_MINOR") as caught:
                await shoots.order(world.acme, subject, validate_only=validate_only, **asked)
            assert "check their age" in caught.value.message
            with refused(FailedPreconditionError, "POSSIBLY_MINOR"):
                request = trainings_pb2.CreateTrainingRequest(parent=subject, validate_only=validate_only, **asked)
                await world.acme("CreateTraining", request)
    # Nobody's face is looked at without their consent.
    silent = await world.acme.subject(consent=None)
    await world.acme.upload(silent, *files(range(7), "bob"))
    with refused(FailedPreconditionError, "CONSENT_MISSING"):
        await world.acme.create_training(silent)
    assert not any(world.rows(table) for table in MADE)
    await world.kill()
    await world.start(photo_max_pixels=1_000_000)
    made = await world.acme.create_training(subject, request_id="once")
    await world.kill()
    await world.start(photo_max_pixels=1_000_000, minors="refuse")
    assert (await world.acme.create_training(subject, request_id="once")).name == made.name, "it was made before"


async def test_no_photo_is_trained_on_that_came_after_the_look_at_faces(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.kill()
    world.analyzer = YoungAnalyzer()
    monkeypatch.setattr(YoungAnalyzer, "LOOKS", 40.0)
    await world.start(photo_max_pixels=1_000_000, minors="refuse")
    subject = await world.acme.subject()
    await world.acme.upload(subject, *files(range(6), "ada"))
    look = Inspector.check_adult

    async def late(inspector: Inspector, tenant: str, subject_id: str) -> InspectionReport:
        report = await look(inspector, tenant, subject_id)
        await world.acme.upload(subject, *files(range(6, 8), "ada"))
        return report

    monkeypatch.setattr(Inspector, "check_adult", late)
    await world.acme.create_training(subject)
    (made,) = world.rows(schema.trainings)
    assert len(made.request["photos"]) == 6


async def test_of_more_unusable_photos_than_an_answer_holds_it_tells_how_many_are_left_out(world: World) -> None:
    subject = await shoots.person(world, usable=1, unusable=30)
    with refused(FailedPreconditionError, "TOO_FEW_PHOTOS") as caught:
        await shoots.order(world.acme, subject)
    told, left_out = len(caught.value.violations), int(caught.value.metadata[LEFT_OUT])
    assert told >= 10
    assert told + left_out == 30
    assert "InspectPhotos tells all" in caught.value.message


async def test_what_the_foundation_does_not_know_is_refused(world: World, subject: str) -> None:
    await world.kill()
    world.generator.vocabulary = {"person", "sks", "photo", "of", "a"}
    await world.start(photo_max_pixels=1_000_000)
    robot = await shoots.person(world, class_noun="robot")
    for validate_only in (True, False):
        with refused(FailedPreconditionError, "CLASS_NOUN_UNKNOWN") as caught:
            await shoots.order(world.acme, robot, validate_only=validate_only)
        assert "make the subject with" in caught.value.message
        for what, field in (({}, "styles[0]"), ({"pack": "packs/business"}, "pack")):
            with refused(InvalidArgumentError, "STYLE_WORDS_UNKNOWN") as caught:
                await shoots.order(world.acme, subject, validate_only=validate_only, **what)
            assert caught.value.violations[0].field == field
    assert not any(world.rows(table) for table in MADE)
    assert world.trainer.jobs == {}


async def test_without_a_generator_it_is_not_known_whether_an_adapter_fits(world: World, subject: str) -> None:
    await shoots.finished(world.acme, (await shoots.order(world.acme, subject)).name)
    await world.kill()
    await world.stop_peer(world.generator_port)
    await world.start(photo_max_pixels=1_000_000)
    with refused(UnavailableError, "GENERATOR_UNREACHABLE"):
        await shoots.order(world.acme, subject)
    assert (await shoots.order(world.acme, subject, retrain=True)).trains


async def test_inspecting_counts_as_one_of_the_tenant_s_streams(world: World, subject: str) -> None:
    await world.kill()
    await world.start(photo_max_pixels=1_000_000, uploads_per_tenant=1)
    assert world.gateway is not None
    header = photos_pb2.UploadPhotosRequest(header=photos_pb2.UploadPhotosHeader(parent=subject))
    stream = world.acme.stub.UploadPhotos(metadata=world.acme.metadata)
    await stream.write(header)
    try:
        with refused(ResourceExhaustedError, "UPLOADS_BUSY"):
            while True:
                await shoots.order(world.acme, subject, validate_only=True)
    finally:
        stream.cancel()


async def test_a_deadline_is_held_to_what_earlier_shoots_took(world: World, subject: str) -> None:
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=10)
    first = await shoots.order(world.acme, subject, deadline=soon)
    # Nothing was measured yet.
    assert not first.quote.HasField("expected_finish_time")
    assert (first.quote.measured_on, first.quote.device_seconds) == (0, 0.0)
    await shoots.finished(world.acme, first.name)
    quick = await shoots.order(world.acme, subject, retrain=True, deadline=soon, validate_only=True)
    assert (quick.quote.measured_on, quick.quote.training_steps) == (2, 3)
    assert quick.quote.expected_finish_time.ToDatetime(datetime.UTC) < soon
    _make_slow(world, seconds=3600.0)
    with refused(FailedPreconditionError, "DEADLINE_TOO_EARLY") as caught:
        await shoots.order(world.acme, subject, retrain=True, deadline=soon)
    expected = datetime.datetime.fromisoformat(caught.value.metadata["expected_finish_time"])
    assert expected > soon + datetime.timedelta(minutes=45)
    assert caught.value.metadata["expected_finish_time"] in caught.value.message
    assert len(world.rows(schema.shoots)) == 1
    # Whoever asks before sending photos has to hear of it then.
    with refused(FailedPreconditionError, "DEADLINE_TOO_EARLY"):
        await shoots.order(world.acme, await world.acme.subject(), deadline=soon, validate_only=True)
    # Painting alone was quick.
    again = await shoots.order(world.acme, subject, deadline=soon)
    assert (again.trains, again.quote.training_steps, again.quote.measured_on) == (False, 0, 1)
    assert again.deadline.ToDatetime(datetime.UTC) == soon


def _make_slow(world: World, *, seconds: float) -> None:
    """The training took so long."""
    with world.database.begin() as connection:
        job = dict(connection.execute(sa.select(schema.trainings.c.job)).scalar_one())
        job["ended_at"] = job["started_at"] + seconds
        connection.execute(sa.update(schema.trainings).values(job=job))
