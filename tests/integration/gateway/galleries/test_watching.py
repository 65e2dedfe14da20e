"""A watch of a gallery sends its images as they finish, and previews to those who ask."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any, cast

import pytest
import sqlalchemy as sa
from prometheus_client import CollectorRegistry

from headshots import schema
from headshots.errors import FailedPreconditionError, NotFoundError, UnavailableError
from headshots.v1 import galleries_pb2, jobs_pb2
from services.gateway.api.names import ids
from services.gateway.audit.log import AuditLog
from services.gateway.events.hub import Hub
from services.gateway.events.models import ShotPreview
from services.gateway.events.reads import SharedReads
from services.gateway.galleries.engine import GalleryEngine
from services.gateway.galleries.rows import get_gallery
from services.gateway.metrics import GatewayMetrics
from tests.support.gateway.world import World
from tests.support.waiting import PATIENCE_SECONDS, until


def told_topics(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Of what watchers are woken for from now on, each time."""
    told, changed = list[str](), Hub.changed

    def noted(hub: Hub, topic: str) -> None:
        told.append(topic)
        changed(hub, topic)

    monkeypatch.setattr(Hub, "changed", noted)
    return told


async def test_images_stream_as_they_finish(world: World, subject: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = told_topics(monkeypatch)
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
    # Each is a read of every watcher: when it begins to run, and at the end of each shot.
    assert told.count(name.rpartition("/")[2]) == 1 + 4
    # What a watch has sent it does not read again.
    found = get_gallery(world.database, "acme", *ids(name), frozenset({0, 3}))
    assert [image.number for image in found.images] == [1, 2]
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


@pytest.mark.parametrize("hidden", [{"deleting": True}, {"expires_at": 1.0}], ids=["being erased", "expired"])
async def test_no_preview_in_flight_shows_a_subject_that_is_hidden_by_now(
    world: World, subject: str, hidden: dict[str, Any]
) -> None:
    world.generator.hold()
    ids = (await world.acme.gallery(subject, shots_per_style=1)).split("/")[1::2]
    hub, unused = Hub(), cast(Any, None)
    metrics = GatewayMetrics(CollectorRegistry(), world.database)
    audit = AuditLog(world.database, poll_seconds=1.0, keep_days=1)
    made = (world.database, world.store, unused, unused, unused, unused, hub, metrics, SharedReads(), audit, unused)
    events = GalleryEngine(*made, judges=False).watch("acme", *ids, previews=True)
    await anext(events)
    coming = asyncio.create_task(anext(events))
    await until(lambda: hub.watched("gallery") == [ids[1]])
    with world.database.begin() as connection:
        connection.execute(sa.update(schema.subjects if "deleting" in hidden else schema.retentions).values(**hidden))
    hub.preview(ids[1], ShotPreview(0, 1, 2, b"a face"))
    with pytest.raises((NotFoundError, FailedPreconditionError)) as caught:
        await coming
    assert caught.value.reason == ("SUBJECT_NOT_FOUND" if "deleting" in hidden else "SUBJECT_EXPIRED")
