"""Galleries through real gRPC, with a generator that fails and a gateway that dies in the middle."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from headshots import schema
from headshots.errors import (
    FailedPreconditionError,
    InternalError,
    InvalidAdapterError,
    InvalidArgumentError,
    NotFoundError,
    ResourceExhaustedError,
    UnavailableError,
)
from headshots.v1 import galleries_pb2, jobs_pb2, subjects_pb2, trainings_pb2
from tests.support.fakes import painted
from tests.support.gateway_world import World, opened_world, refused, selfie
from tests.support.waiting import PATIENCE_SECONDS, until

STYLES = ("studio-navy-suit", "clinic-lab-coat")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened_world(tmp_path) as world:
        yield world


@pytest.fixture
async def subject(world: World) -> str:
    return await world.acme.trained_subject(class_noun="man")


def assert_each_shot_once(world: World, gallery: galleries_pb2.Gallery) -> None:
    """Every shot succeeded, is recorded once, and its image is the one that its prompt and seed give."""
    assert gallery.state == jobs_pb2.JOB_STATE_SUCCEEDED
    assert gallery.completed_shots == gallery.total_shots == len(gallery.images)
    assert [image.name.rsplit("/", 1)[1] for image in gallery.images] == [str(n) for n in range(gallery.total_shots)]
    rows = world.rows(schema.shots)
    assert [row.state for row in rows] == [schema.SUCCEEDED] * gallery.total_shots
    by_work = {(request.prompt, request.seed): request for request in world.generator.requests}
    for image in gallery.images:
        content = painted(by_work[image.prompt, image.seed])
        assert image.sha256 == hashlib.sha256(content).hexdigest()
        assert image.size_bytes == len(content)


async def test_a_gallery_is_painted_from_styles_and_seeds(world: World, subject: str) -> None:
    name = await world.acme.gallery(subject, STYLES, shots_per_style=3, seed=2**32 - 2)
    gallery = await world.acme.finished_gallery(name)
    assert_each_shot_once(world, gallery)
    assert [image.style for image in gallery.images] == [f"styles/{style}" for style in STYLES for _ in range(3)]
    assert [image.seed for image in gallery.images] == [2**32 - 2, 2**32 - 1, 0] * 2
    assert gallery.images[0].prompt == (
        "headshot of a ohwx man, wearing a navy suit, plain grey studio background, soft studio lighting"
    )
    got = (await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=subject))).subject
    for request in world.generator.requests:
        assert request.adapter == got.adapter
        assert (request.tenant, request.image_count) == ("acme", 1)
        assert request.output_prefix == f"tenants/acme/{subject}/images"
    assert gallery.adapter_sha256 == got.adapter.sha256
    assert Counter(world.generator.finished.values()) == {1: 6}


async def test_shots_fill_the_generators_batch_but_no_more(world: World, subject: str) -> None:
    world.generator.hold()
    name = await world.acme.gallery(subject, shots_per_style=8)
    await until(lambda: world.generator.running == 4)
    world.generator.permit()
    assert_each_shot_once(world, await world.acme.finished_gallery(name))
    assert world.generator.most_running == 4


async def test_images_stream_as_they_finish(world: World, subject: str) -> None:
    world.generator.hold(2)
    name = await world.acme.gallery(subject, shots_per_style=4)
    events: asyncio.Queue[galleries_pb2.WatchGalleryResponse] = asyncio.Queue()

    async def watch() -> None:
        request = galleries_pb2.WatchGalleryRequest(name=name, include_content=True)
        async for event in world.acme.stream("WatchGallery", request):
            events.put_nowait(event)

    watching = asyncio.create_task(watch())
    images = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        first = await events.get()
        assert first.gallery.total_shots == 4
        while len(images) < 2:
            event = await events.get()
            if event.HasField("image"):
                images.append(event)
    await until(lambda: world.generator.running == 2)
    assert not any(event.HasField("image") for event in list(events._queue))  # type: ignore[attr-defined]
    world.generator.permit()
    await watching
    rest = [events.get_nowait() for _ in range(events.qsize())]
    images += [event for event in rest if event.HasField("image")]
    assert len({event.image.name for event in images}) == len(images) == 4
    for event in images:
        assert hashlib.sha256(event.content).hexdigest() == event.image.sha256
    assert rest[-1].gallery.state == jobs_pb2.JOB_STATE_SUCCEEDED
    assert not rest[-1].gallery.images
    late = [event async for event in world.acme.stream("WatchGallery", galleries_pb2.WatchGalleryRequest(name=name))]
    assert [event.WhichOneof("event") for event in late] == ["gallery", "image", "image", "image", "image"]
    assert not any(event.content for event in late)


async def test_previews_come_to_those_who_ask(world: World, subject: str) -> None:
    # Until the watcher has come: whoever paints asks then whether anybody looks.
    world.generator.refusal = UnavailableError("STARTING", "try again")
    name = await world.acme.gallery(subject, shots_per_style=1)
    request = galleries_pb2.WatchGalleryRequest(name=name, include_previews=True)
    world.generator.hold()
    kinds = []
    async for event in world.acme.stream("WatchGallery", request):
        world.generator.refusal = None
        kinds.append(event.WhichOneof("event"))
        if event.HasField("preview"):
            assert (event.preview.shot, event.preview.step, event.preview.total_steps) == (0, 1, 2)
            assert event.preview.content.startswith(b"\xff\xd8")
            world.generator.permit()
    assert "preview" in kinds
    assert kinds[-2:] == ["image", "gallery"]
    name = await world.acme.gallery(subject, shots_per_style=1, seed=5)
    await world.acme.finished_gallery(name)
    assert world.generator.requests[-1].preview_every == 0


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


async def test_a_gateway_killed_in_mid_gallery_finishes_it_after_a_restart(world: World, subject: str) -> None:
    world.generator.hold(3)
    name = await world.acme.gallery(subject, STYLES, shots_per_style=5)
    await until(lambda: len(world.generator.requests) == 7 and world.generator.running == 4)
    await world.kill()
    await until(lambda: world.generator.running == 0)
    before = {row.id: row.image for row in world.rows(schema.shots) if row.state == schema.SUCCEEDED}
    assert sum(row.state == schema.RUNNING for row in world.rows(schema.shots)) >= 4
    world.expire_leases()
    await world.start()
    world.generator.permit()
    gallery = await world.acme.finished_gallery(name)
    assert_each_shot_once(world, gallery)
    after = {row.id: row.image for row in world.rows(schema.shots)}
    assert {key: after[key] for key in before} == before
    # What was recorded before is not painted again.
    assert {world.generator.finished[image.prompt, image.seed] for image in gallery.images} <= {1, 2}
    assert world.generator.finished.total() <= 10 + 3 - len(before)


async def test_two_gateways_share_a_gallery(world: World, subject: str) -> None:
    first = world.gateway
    assert first is not None
    await world.start()
    name = await world.acme.gallery(subject, STYLES, shots_per_style=6)
    gallery = await world.acme.finished_gallery(name)
    assert_each_shot_once(world, gallery)
    assert Counter(world.generator.finished.values()) == {1: 12}
    await first.close()
    await first.server.stop(0)


async def test_a_draining_gateway_hands_its_shots_back_uncounted(world: World, subject: str) -> None:
    world.generator.hold(1)
    name = await world.acme.gallery(subject, shots_per_style=3)
    await until(lambda: len(world.generator.requests) == 3 and world.generator.running == 2)
    await until(lambda: schema.SUCCEEDED in {row.state for row in world.rows(schema.shots)})
    await world.terminate()
    rows = world.rows(schema.shots)
    assert sorted(row.state for row in rows) == [schema.PENDING, schema.PENDING, schema.SUCCEEDED]
    assert [row.attempt - row.uncounted_attempts for row in rows if row.state == schema.PENDING] == [0, 0]
    await world.start()
    world.generator.permit()
    assert_each_shot_once(world, await world.acme.finished_gallery(name))


async def test_a_generator_that_is_away_or_full_costs_no_attempt(world: World, subject: str) -> None:
    full = ResourceExhaustedError("QUEUE_FULL", "too many requests", retry_after_seconds=0.01)
    world.generator.errors = [full] * 6
    gallery = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    assert_each_shot_once(world, gallery)
    (row,) = world.rows(schema.shots)
    assert (row.attempt, row.uncounted_attempts) == (7, 6)


async def test_a_gallery_says_that_it_waits_for_a_generator(world: World, subject: str) -> None:
    await world.kill()
    port, world.generator_port = world.generator_port, 1  # nobody listens there
    await world.start()
    name = await world.acme.gallery(subject, shots_per_style=1)

    async def says_so() -> bool:
        gallery = (await world.acme("GetGallery", galleries_pb2.GetGalleryRequest(name=name))).gallery
        return gallery.status_message == "waiting for a generator: no generator can be reached; it is tried again"

    await until(says_so)
    await world.kill()
    world.generator_port = port
    await world.start()
    gallery = await world.acme.finished_gallery(name)
    assert_each_shot_once(world, gallery)
    assert gallery.status_message == ""


async def test_a_shot_that_keeps_failing_is_given_up(world: World, subject: str) -> None:
    world.generator.broken = {1: InternalError("INTERNAL", "boom")}
    gallery = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=3))
    assert gallery.state == jobs_pb2.JOB_STATE_FAILED
    assert (gallery.completed_shots, gallery.failed_shots) == (2, 1)
    assert gallery.failure.reason == "INTERNAL"
    assert gallery.failure.message.startswith("1 shots failed; shot 1: ")
    assert sum(request.seed == 1 for request in world.generator.requests) == 3
    assert [image.seed for image in gallery.images] == [0, 2]


async def test_a_foreign_adapter_is_not_tried_twice(world: World, subject: str) -> None:
    world.generator.broken = {0: InvalidAdapterError("ADAPTER_FOREIGN_FOUNDATION", "made for another foundation")}
    gallery = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    assert gallery.state == jobs_pb2.JOB_STATE_FAILED
    assert gallery.failure.reason == "ADAPTER_FOREIGN_FOUNDATION"
    assert len(world.generator.requests) == 1


async def test_a_stream_that_ends_without_an_image_is_tried_again(world: World, subject: str) -> None:
    world.generator.hold()
    name = await world.acme.gallery(subject, shots_per_style=1)
    await until(lambda: world.generator.running == 1)
    server = world._peers.pop()
    await server.stop()
    port = await world.start_peer(world.generator, world.generator_port)
    assert port == world.generator_port
    world.generator.permit()
    assert_each_shot_once(world, await world.acme.finished_gallery(name))


async def test_cancelling_stops_running_shots_at_once(world: World, subject: str) -> None:
    world.generator.hold(1)
    name = await world.acme.gallery(subject, shots_per_style=8)
    await until(lambda: len(world.generator.requests) == 5 and world.generator.running == 4)
    await world.acme("CancelGallery", galleries_pb2.CancelGalleryRequest(name=name))
    gallery = await world.acme.finished_gallery(name)
    assert gallery.state == jobs_pb2.JOB_STATE_CANCELLED
    assert gallery.completed_shots == len(gallery.images) == 1
    await until(lambda: world.generator.running == 0)
    assert world.generator.stopped == 4
    assert len(world.generator.requests) == 5
    again = await world.acme("CancelGallery", galleries_pb2.CancelGalleryRequest(name=name))
    assert (
        again.gallery
        == (await world.acme("ListGalleries", galleries_pb2.ListGalleriesRequest(parent=subject))).galleries[0]
    )


async def test_a_gallery_cancelled_while_no_gateway_ran_ends_after_the_restart(world: World, subject: str) -> None:
    world.generator.hold()
    name = await world.acme.gallery(subject, shots_per_style=2)
    await until(lambda: world.generator.running == 2)
    await world.kill()
    await world.start(shots_in_flight=1)
    world.expire_leases()
    answer = await world.acme("CancelGallery", galleries_pb2.CancelGalleryRequest(name=name))
    assert answer.gallery.state == jobs_pb2.JOB_STATE_RUNNING
    assert (await world.acme.finished_gallery(name)).state == jobs_pb2.JOB_STATE_CANCELLED
    assert world.generator.finished.total() == 0


async def test_a_new_training_does_not_change_a_gallery(world: World, subject: str) -> None:
    world.generator.hold()
    name = await world.acme.gallery(subject, shots_per_style=6)
    await until(lambda: world.generator.running == 4)
    await world.acme.upload(subject, selfie(50))
    training = (await world.acme("CreateTraining", trainings_pb2.CreateTrainingRequest(parent=subject))).training
    async for _ in world.acme.watch_training(training.name):
        pass
    world.generator.permit()
    gallery = await world.acme.finished_gallery(name)
    assert {request.adapter.sha256 for request in world.generator.requests} == {gallery.adapter_sha256}
    second = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    assert second.adapter_sha256 != gallery.adapter_sha256


async def test_a_shot_whose_workers_keep_dying_is_given_up(world: World, subject: str) -> None:
    world.generator.hold()
    name = await world.acme.gallery(subject, shots_per_style=1)
    await until(lambda: world.generator.running == 1)
    await world.kill()
    with world.database.begin() as connection:
        connection.execute(sa.update(schema.shots).values(attempt=3))
    world.expire_leases()
    await world.start()
    gallery = await world.acme.finished_gallery(name)
    assert gallery.state == jobs_pb2.JOB_STATE_FAILED
    assert gallery.failure.reason == "SHOT_ATTEMPTS_EXHAUSTED"
    assert len(world.generator.requests) == 1


async def test_a_generator_that_falls_silent_is_left_and_asked_again(world: World, subject: str) -> None:
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
