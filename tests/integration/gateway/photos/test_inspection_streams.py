"""An inspection stream that is malformed, silent, foreign or one too many is refused, and blocks no other call."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest

from headshots.errors import (
    DeadlineExceededError,
    InvalidArgumentError,
    NotFoundError,
    ResourceExhaustedError,
)
from headshots.rpc.channel import error_from_rpc
from headshots.v1 import photos_pb2
from tests.support.gateway.caller import refused
from tests.support.gateway.inspections import BROKEN, LARGE_PHOTOS, inspect, messages, reasons, restart, send
from tests.support.gateway.world import World, opened_world
from tests.support.images.faces import ColourAnalyzer
from tests.support.images.pictures import files
from tests.support.waiting import PATIENCE_SECONDS, until


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """With an analyzer."""
    async with opened_world(tmp_path, analyzer=ColourAnalyzer(), **LARGE_PHOTOS) as world:
        yield world


async def test_malformed_streams_are_refused(world: World) -> None:
    subject = await world.acme.subject()
    good = messages(subject, files([0], "ada"))
    start = photos_pb2.InspectPhotosRequest(photo=photos_pb2.CandidatePhoto(size_bytes=10))
    cases = [
        ([], "UPLOAD_MALFORMED"),
        (messages(""), "NO_PHOTOS"),
        (good[1:], "UPLOAD_MALFORMED"),
        ([*good, good[0]], "UPLOAD_MALFORMED"),
        ([*good, start], "UPLOAD_INCOMPLETE"),
        ([*good, start, photos_pb2.InspectPhotosRequest(chunk=bytes(11))], "UPLOAD_MALFORMED"),
        ([*messages(subject), *([*messages("", [BROKEN])[1:]] * 101)], "TOO_MANY_PHOTOS"),
        (
            [*good, photos_pb2.InspectPhotosRequest(photo=photos_pb2.CandidatePhoto(size_bytes=-1))],
            "CONSTRAINT_VIOLATED",
        ),
        ([*good, photos_pb2.InspectPhotosRequest()], "CONSTRAINT_VIOLATED"),
        (messages("subjects/../x"), "CONSTRAINT_VIOLATED"),
    ]
    for requests, reason in cases:
        with refused(InvalidArgumentError, reason):
            await send(world.acme, requests)
    assert await world.stored_photos() == ([], [])


async def test_another_tenants_photos_are_not_inspected(world: World) -> None:
    subject = await world.acme.subject()
    await world.acme.upload(subject, *files([0], "ada"))
    with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
        await inspect(world.caller(world.keys["globex"]), subject)
    with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
        await inspect(world.acme, "subjects/nobody", BROKEN)


async def test_a_silent_inspection_is_ended_and_no_longer_counted(world: World) -> None:
    await restart(world, analyzer=True, uploads_at_once=1, upload_idle_seconds=0.5, upload_bytes_per_second=0.001)
    call = world.acme.stub.InspectPhotos(metadata=world.acme.metadata)
    await call.write(messages("")[0])
    with refused(DeadlineExceededError, "UPLOAD_IDLE"):
        try:
            await call
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error) from error

    async def may_inspect() -> bool:
        # Where we are slower than that ourselves we are asked to try again, but not because the place is taken.
        with contextlib.suppress(DeadlineExceededError):
            return reasons(await inspect(world.acme, "", *files([0], "ada"))) == [[]]
        return False

    await until(may_inspect)


class HeldAnalyzer(ColourAnalyzer):
    """Looks once `go` is set; remembers on which thread."""

    def __init__(self) -> None:
        super().__init__()
        self.go, self.looking = threading.Event(), threading.Event()
        self.threads: list[threading.Thread] = []

    def faces(self, pixels_HWC):  # type: ignore[no-untyped-def]
        self.threads.append(threading.current_thread())
        self.looking.set()
        assert self.go.wait(2 * PATIENCE_SECONDS)
        return super().faces(pixels_HWC)


async def test_an_inspection_blocks_no_other_call(world: World) -> None:
    await restart(world, analyzer=True, uploads_at_once=1)
    await world.kill()
    world.analyzer = held = HeldAnalyzer()
    await world.start(photo_max_pixels=1_000_000, uploads_at_once=1)
    inspecting = asyncio.create_task(inspect(world.acme, "", *files([0], "ada")))
    await until(held.looking.is_set)
    assert await world.acme.subject(), "the event loop answers others meanwhile"
    with refused(ResourceExhaustedError, "UPLOADS_BUSY"):
        await inspect(world.acme, "", BROKEN)
    held.go.set()
    assert reasons(await inspecting) == [[]]
    assert threading.main_thread() not in held.threads
