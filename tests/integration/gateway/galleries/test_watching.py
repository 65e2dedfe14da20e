"""A watch of a gallery sends its images as they finish, and previews to those who ask."""

from __future__ import annotations

import asyncio
import hashlib

from headshots.errors import (
    UnavailableError,
)
from headshots.v1 import galleries_pb2, jobs_pb2
from tests.support.gateway.world import World
from tests.support.waiting import PATIENCE_SECONDS, until


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
    # Until a call asks for previews: one that began before the watcher had subscribed does not.
    world.generator.refusal = UnavailableError("STARTING", "try again")
    name = await world.acme.gallery(subject, shots_per_style=1)
    request = galleries_pb2.WatchGalleryRequest(name=name, include_previews=True)
    world.generator.hold()
    kinds = []
    async for event in world.acme.stream("WatchGallery", request):
        await until(lambda: any(request.preview_every for request in world.generator.requests))
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
