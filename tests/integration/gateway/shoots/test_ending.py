"""A shoot ends with its training and its gallery, however those end, and they with it."""

from __future__ import annotations

import threading

import pytest

from headshots import keys, schema
from headshots.errors import InvalidArgumentError, ResourceExhaustedError
from headshots.faces import Face, Pixels
from headshots.v1 import galleries_pb2, jobs_pb2, shoots_pb2, trainings_pb2
from tests.support.gateway import shoots
from tests.support.gateway.caller import refused
from tests.support.gateway.judging import paints, sitter
from tests.support.gateway.world import World
from tests.support.images.faces import ColourAnalyzer
from tests.support.waiting import PATIENCE_SECONDS, until

CANCELLED, FAILED = jobs_pb2.JOB_STATE_CANCELLED, jobs_pb2.JOB_STATE_FAILED


async def test_cancelling_stops_the_training(world: World, subject: str) -> None:
    world.trainer.go.clear()
    made = await shoots.order(world.acme, subject)
    await until(lambda: world.rows(schema.trainings)[0].state == schema.RUNNING)
    await shoots.cancel(world.acme, made.name)
    shoot = await shoots.finished(world.acme, made.name)
    assert (shoot.state, shoot.stage, shoot.gallery) == (CANCELLED, shoots_pb2.SHOOT_STAGE_ENDED, "")
    assert not shoot.HasField("failure")
    assert (await world.acme.get_training(made.training)).state == CANCELLED
    assert world.rows(schema.galleries) == []
    # What has ended stays as it is.
    assert await shoots.cancel(world.acme, made.name) == shoot


async def test_cancelling_stops_the_gallery_and_keeps_what_is_painted(world: World, subject: str) -> None:
    world.generator.hold(2)
    made = await shoots.order(world.acme, subject, count=4)

    async def half() -> bool:
        return (await shoots.get(world.acme, made.name)).completed_shots == 2

    await until(half)
    await shoots.cancel(world.acme, made.name)
    shoot = await shoots.finished(world.acme, made.name)
    assert (shoot.state, shoot.completed_shots) == (CANCELLED, 2)
    assert shoot.guarantee == galleries_pb2.GUARANTEE_UNSPECIFIED
    gallery = (await world.acme("GetGallery", galleries_pb2.GetGalleryRequest(name=shoot.gallery))).gallery
    assert (gallery.state, len(gallery.images)) == (CANCELLED, 2)


async def test_cancelling_stops_running_shots_without_waiting_for_their_leases(world: World) -> None:
    await shoots.with_large_photos(world, shot_lease_seconds=1_800.0)
    subject = await shoots.person(world)
    world.generator.hold()
    made = await shoots.order(world.acme, subject)
    await until(lambda: world.generator.running == 3)
    await shoots.cancel(world.acme, made.name)
    assert (await shoots.finished(world.acme, made.name)).state == CANCELLED
    await until(lambda: world.generator.stopped == 3)


class HeldAnalyzer(ColourAnalyzer):
    """Looks at no picture while it is held."""

    def __init__(self) -> None:
        super().__init__()
        self.looking, self.goes = threading.Event(), threading.Event()

    def faces(self, pixels_HWC: Pixels) -> list[Face]:
        self.looking.set()
        assert self.goes.wait(PATIENCE_SECONDS)
        return super().faces(pixels_HWC)


async def test_cancelling_while_images_are_judged_ends_the_shoot(world: World) -> None:
    analyzer = HeldAnalyzer()
    subject = await sitter(world, analyzer, shot_lease_seconds=1_800.0)
    paints(world, range(3))
    made = await shoots.order(world.acme, subject, styles=shoots.STYLES[:1])
    try:
        await until(analyzer.looking.is_set)
        # The shoot is told of its gallery's first shot a moment after that was claimed.
        await until(lambda: world.rows(schema.shoots)[0].state == schema.RUNNING)
        await shoots.cancel(world.acme, made.name)
        # One looks at the photos, for all; it can be left only when that has ended.
        await until(lambda: [row.state for row in world.rows(schema.shots)].count(schema.CANCELLED) == 2)
        now = await shoots.get(world.acme, made.name)
        assert (now.state, now.stage) == (jobs_pb2.JOB_STATE_RUNNING, shoots_pb2.SHOOT_STAGE_PAINTING)
    finally:
        analyzer.goes.set()
    shoot = await shoots.finished(world.acme, made.name)
    assert (shoot.state, shoot.stage) == (CANCELLED, shoots_pb2.SHOOT_STAGE_ENDED)
    assert shoot.guarantee == galleries_pb2.GUARANTEE_UNSPECIFIED
    gallery = (await world.acme("GetGallery", galleries_pb2.GetGalleryRequest(name=shoot.gallery))).gallery
    assert (gallery.state, len(gallery.images)) == (CANCELLED, shoot.completed_shots)


@pytest.mark.parametrize("restarts", [False, True])
async def test_what_is_cancelled_between_training_and_gallery_paints_nothing(world: World, restarts: bool) -> None:
    # Nobody gives the trainer up, however long it takes to end the training.
    await shoots.with_large_photos(world, cancel_patience_seconds=36_000.0)
    subject = await shoots.person(world)
    world.trainer.go.clear()
    world.trainer.fails_cancels = True
    made = await shoots.order(world.acme, subject)
    await until(lambda: world.rows(schema.trainings)[0].state == schema.RUNNING)
    await shoots.cancel(world.acme, made.name)
    if restarts:
        await shoots.with_large_photos(world, cancel_patience_seconds=36_000.0)
    # The trainer ends it as if nobody had asked.
    world.trainer.go.set()
    shoot = await shoots.finished(world.acme, made.name)
    assert (await world.acme.get_training(made.training)).state == jobs_pb2.JOB_STATE_SUCCEEDED
    assert (shoot.state, shoot.gallery) == (CANCELLED, "")
    assert world.rows(schema.galleries) == []


@pytest.mark.parametrize("part", ["training", "gallery"])
async def test_whoever_cancels_a_part_ends_the_shoot(part: str, world: World, subject: str) -> None:
    world.trainer.go.clear() if part == "training" else world.generator.hold()
    made = await shoots.order(world.acme, subject)
    if part == "training":
        await world.acme("CancelTraining", trainings_pb2.CancelTrainingRequest(name=made.training))
    else:
        await until(lambda: len(world.rows(schema.galleries)) == 1)
        (gallery,) = world.rows(schema.galleries)
        name = f"{subject}/galleries/{gallery.id}"
        await world.acme("CancelGallery", galleries_pb2.CancelGalleryRequest(name=name))
    assert (await shoots.finished(world.acme, made.name)).state == CANCELLED


async def test_a_failed_training_fails_the_shoot_with_its_reason(world: World, subject: str) -> None:
    world.trainer.failure = jobs_pb2.Failure(reason="TRAINING_DIVERGED", message="the loss is not a number")
    shoot = await shoots.finished(world.acme, (await shoots.order(world.acme, subject)).name)
    assert (shoot.state, shoot.failure.reason) == (FAILED, "TRAINING_DIVERGED")
    assert shoot.failure == (await world.acme.get_training(shoot.training)).failure
    # The next one trains anew.
    world.trainer.failure = None
    again = await shoots.finished(world.acme, (await shoots.order(world.acme, subject)).name)
    assert (again.state, again.trains) == (jobs_pb2.JOB_STATE_SUCCEEDED, True)


async def test_a_failed_gallery_fails_the_shoot_with_its_reason(world: World, subject: str) -> None:
    world.generator.refusal = InvalidArgumentError("SIZE_INVALID", "this engine cannot paint it")
    shoot = await shoots.finished(world.acme, (await shoots.order(world.acme, subject)).name)
    assert (shoot.state, shoot.failure.reason) == (FAILED, "SIZE_INVALID")
    assert shoot.guarantee == galleries_pb2.GUARANTEE_UNSPECIFIED


async def test_what_holds_the_training_up_is_told(world: World, subject: str) -> None:
    await world.stop_peer(world.trainer_port)
    made = await shoots.order(world.acme, subject)

    async def told() -> bool:
        return (await shoots.get(world.acme, made.name)).status_message.startswith("waiting for a trainer")

    await until(told)
    await world.start_peer(world.trainer, world.trainer_port)
    shoot = await shoots.finished(world.acme, made.name)
    assert (shoot.state, shoot.status_message) == (jobs_pb2.JOB_STATE_SUCCEEDED, "")


async def test_a_right_that_was_taken_back_fails_the_shoot_when_painting_would_begin(
    world: World, subject: str
) -> None:
    keys.grant_high(world.database, "acme", 4)
    world.trainer.go.clear()
    made = await shoots.order(world.acme, subject, priority=jobs_pb2.PRIORITY_HIGH)
    keys.revoke_high(world.database, "acme")
    world.trainer.go.set()
    shoot = await shoots.finished(world.acme, made.name)
    assert (shoot.state, shoot.failure.reason) == (FAILED, "PRIORITY_NOT_GRANTED")
    assert world.rows(schema.galleries) == []


async def test_a_shoot_has_its_places_for_high_priority_from_the_beginning(world: World, subject: str) -> None:
    keys.grant_high(world.database, "acme", 4, 100)
    other = await world.acme.trained_subject()
    world.trainer.go.clear()
    made = await shoots.order(world.acme, subject, priority=jobs_pb2.PRIORITY_HIGH)
    # The training and all portraits: no other order may take what the gallery will need.
    keys.grant_high(world.database, "acme", 4, 1 + made.asked)
    with refused(ResourceExhaustedError, "HIGH_PRIORITY_FULL"):
        await world.acme.gallery(other, priority=jobs_pb2.PRIORITY_HIGH, shots_per_style=1)
    # Not even a lower limit takes them back.
    keys.grant_high(world.database, "acme", 4, 1)
    world.trainer.go.set()
    assert (await shoots.finished(world.acme, made.name)).state == jobs_pb2.JOB_STATE_SUCCEEDED
