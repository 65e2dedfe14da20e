"""A locked database stops neither reads nor authentication, and no tenant has more calls open than its limits say."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from headshots import keys, threads
from headshots.errors import NotFoundError, ResourceExhaustedError
from headshots.v1 import galleries_pb2, photos_pb2, subjects_pb2, tenants_pb2
from services.gateway.subjects import engine as subject_engine
from tests.support.gateway.caller import Caller, refused, selfie
from tests.support.gateway.inspections import inspect
from tests.support.gateway.world import World
from tests.support.waiting import until

WRITES = 32


@contextlib.contextmanager
def locked(world: World) -> Iterator[None]:
    """As another process that writes for a long time."""
    connection = sqlite3.connect(world.folder / "headshots.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def create(caller: Caller, number: int) -> asyncio.Task[Any]:
    return asyncio.create_task(caller("CreateSubject", subjects_pb2.CreateSubjectRequest(display_name=str(number))))


async def test_while_many_writes_wait_for_a_lock_others_are_read_and_known(world: World) -> None:
    globex, subject = world.caller(world.keys["globex"]), await world.acme.subject()
    unknown = world.caller(keys.create_key(world.database, "initech"))
    with locked(world):
        writes = [create(caller, number) for number in range(WRITES // 2) for caller in (world.acme, globex)]
        # Every thread for writes waits for the lock.
        await until(lambda: threads._write_executor._work_queue.qsize() >= WRITES - threads.WRITE_THREADS)
        for caller in (world.acme, globex, unknown):
            await caller("GetTenant", tenants_pb2.GetTenantRequest())
            await caller("ListSubjects", subjects_pb2.ListSubjectsRequest())
        await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=subject))
        assert not any(write.done() for write in writes), "all that was answered was answered before the lock was gone"
    assert len({(await write).subject.name for write in writes}) == WRITES


async def test_while_many_deletions_wait_for_a_lock_photos_of_others_are_inspected(world: World) -> None:
    subject, globex = await world.acme.subject(), world.caller(world.keys["globex"])
    name = galleries_pb2.DeleteGalleryRequest(name=f"{subject}/galleries/{'0' * 16}")
    image = galleries_pb2.DeleteImageRequest(name=f"{name.name}/images/0")
    photo = photos_pb2.DeletePhotoRequest(name=f"{subject}/photos/{'0' * 32}")
    calls = [("DeleteGallery", name), ("DeleteImage", image), ("DeletePhoto", photo)]
    with locked(world):
        deletions = [asyncio.create_task(world.acme(*call)) for call in calls for _ in range(WRITES // 2)]
        await until(lambda: threads._erase_executor._work_queue.qsize() >= len(deletions) - threads.ERASE_THREADS)
        assert len((await inspect(globex, "", selfie(1))).photos) == 1
        assert not any(deletion.done() for deletion in deletions)
    for ended in await asyncio.gather(*deletions, return_exceptions=True):
        assert isinstance(ended, NotFoundError)


async def test_a_tenant_has_no_more_calls_under_way_than_its_limit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.kill()
    under_way: list[Any] = []
    hand_over = subject_engine.in_write_thread

    async def counted(*args: Any, **named: Any) -> Any:
        under_way.append(args)
        return await hand_over(*args, **named)

    # Not the executor's queue: the gateway's own work waits in it, too.
    monkeypatch.setattr(subject_engine, "in_write_thread", counted)
    # One more than there are threads.
    limit = threads.WRITE_THREADS + 1
    await world.start(calls_per_tenant=limit)
    globex = world.caller(world.keys["globex"])
    with locked(world):
        writes = [create(world.acme, number) for number in range(limit)]
        await until(lambda: len(under_way) == limit)
        with refused(ResourceExhaustedError, "TOO_MANY_CALLS") as caught:
            await world.acme("GetTenant", tenants_pb2.GetTenantRequest())
        assert caught.value.retry_after_seconds == 1.0
        await globex("GetTenant", tenants_pb2.GetTenantRequest())
        assert not any(write.done() for write in writes)
    await asyncio.gather(*writes)
    await world.acme("GetTenant", tenants_pb2.GetTenantRequest())


async def test_a_tenant_has_no_more_watches_open_than_its_limit(world: World) -> None:
    await world.kill()
    await world.start(watches_per_tenant=1)
    subject = await world.acme.subject()
    await world.acme.upload(subject, *map(selfie, range(6)))
    world.trainer.go.clear()
    name = (await world.acme.create_training(subject)).name
    watch = world.acme.watch_training(name)
    await anext(watch)
    with refused(ResourceExhaustedError, "WATCH_LIMIT") as caught:
        await anext(world.acme.watch_training(name))
    assert caught.value.retry_after_seconds == 10.0
    # The other tenant's is let in, and refused for another reason.
    globex = world.caller(world.keys["globex"])
    with refused(NotFoundError, "TRAINING_NOT_FOUND"):
        await anext(globex.watch_training(f"{await globex.subject()}/trainings/none"))
    await watch.aclose()  # type: ignore[attr-defined]

    async def may_watch() -> bool:
        try:
            await anext(world.acme.watch_training(name))
        except ResourceExhaustedError:
            return False
        return True

    await until(may_watch)
    world.trainer.go.set()
