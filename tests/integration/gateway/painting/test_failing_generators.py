"""A generator that fails, is full, away or silent costs attempts only where that is fair."""

from __future__ import annotations

from headshots import schema
from headshots.errors import (
    InternalError,
    InvalidAdapterError,
    ResourceExhaustedError,
)
from headshots.v1 import galleries_pb2, jobs_pb2
from tests.support.gateway.shots import assert_each_shot_once
from tests.support.gateway.world import World
from tests.support.waiting import until


async def test_a_generator_that_is_away_or_full_costs_no_attempt(world: World, subject: str) -> None:
    full = ResourceExhaustedError("QUEUE_FULL", "too many requests", retry_after_seconds=0.01)
    world.generator.errors = [full] * 6
    gallery = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    assert_each_shot_once(world, gallery)
    (row,) = world.rows(schema.shots)
    assert (row.attempt, row.uncounted_attempts) == (7, 6)


async def test_a_gallery_reports_that_it_waits_for_a_generator(world: World, subject: str) -> None:
    await world.kill()
    port, world.generator_port = world.generator_port, 1  # nobody listens there
    await world.start()
    name = await world.acme.gallery(subject, shots_per_style=1)

    async def reports_it() -> bool:
        gallery = (await world.acme("GetGallery", galleries_pb2.GetGalleryRequest(name=name))).gallery
        return gallery.status_message == "waiting for a generator: no generator can be reached; it is tried again"

    await until(reports_it)
    await world.kill()
    world.generator_port = port
    await world.start()
    gallery = await world.acme.finished_gallery(name)
    assert_each_shot_once(world, gallery)
    assert gallery.status_message == ""


async def test_words_that_nobody_could_check_are_refused_before_they_are_painted(world: World, subject: str) -> None:
    await world.kill()
    port, world.generator_port = world.generator_port, 1  # nobody listens there
    await world.start()
    name = await world.acme.gallery(subject, ["clinic-lab-coat"], shots_per_style=1)
    await world.kill()
    world.expire_leases()
    world.generator.vocabulary = {"headshot", "of", "a", "navy", "suit"}
    world.generator_port = port
    await world.start()
    gallery = await world.acme.finished_gallery(name)
    assert (gallery.state, gallery.failure.reason) == (jobs_pb2.JOB_STATE_FAILED, "STYLE_WORDS_UNKNOWN")
    assert "does not know lab, coat" in gallery.failure.message
    assert world.generator.requests == []


async def test_a_shot_that_keeps_failing_is_given_up(world: World, subject: str) -> None:
    world.generator.errors_by_seed = {1: InternalError("INTERNAL", "boom")}
    gallery = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=3))
    assert gallery.state == jobs_pb2.JOB_STATE_FAILED
    assert (gallery.completed_shots, gallery.failed_shots) == (2, 1)
    assert gallery.failure.reason == "INTERNAL"
    assert gallery.failure.message.startswith("1 shot failed; shot 1: ")
    assert sum(request.seed == 1 for request in world.generator.requests) == 3
    assert [image.seed for image in gallery.images] == [0, 2]


async def test_a_foreign_adapter_is_not_tried_twice(world: World, subject: str) -> None:
    world.generator.errors_by_seed = {
        0: InvalidAdapterError("ADAPTER_FOREIGN_FOUNDATION", "made for another foundation")
    }
    gallery = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    assert gallery.state == jobs_pb2.JOB_STATE_FAILED
    assert gallery.failure.reason == "ADAPTER_FOREIGN_FOUNDATION"
    assert len(world.generator.requests) == 1


async def test_a_stream_that_ends_without_an_image_is_tried_again(world: World, subject: str) -> None:
    world.generator.hold()
    name = await world.acme.gallery(subject, shots_per_style=1)
    await until(lambda: world.generator.running == 1)
    await world.stop_peer(world.generator_port)
    assert await world.start_peer(world.generator, world.generator_port) == world.generator_port
    world.generator.permit()
    assert_each_shot_once(world, await world.acme.finished_gallery(name))


async def test_a_call_of_a_silent_generator_is_ended_and_repeated(world: World, subject: str) -> None:
    await world.kill()
    # As many attempts as it takes: on a busy machine an answer that comes may take longer than that too.
    await world.start(shot_silence_seconds=0.3, shot_max_attempts=1000)
    world.generator.hold()
    name = await world.acme.gallery(subject, shots_per_style=1)
    await until(lambda: world.generator.stopped >= 1)
    world.generator.permit()
    assert_each_shot_once(world, await world.acme.finished_gallery(name))
    (row,) = world.rows(schema.shots)
    assert (row.attempt, row.uncounted_attempts) == (len(world.generator.requests), 0)
    assert row.attempt >= 2
