"""A gateway that starts on a restored database serves nobody who was erased since the backup."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from headshots import schema
from headshots.errors import NotFoundError
from headshots.receipts.verifying import verify
from headshots.v1 import subjects_pb2
from services.gateway.erasures.log import FOLDER, RECEIPTS, ErasureLog
from services.gateway.erasures.models import Trigger
from services.gateway.subjects.replaying import replay
from tests.integration.gateway.erasures.test_receipts import deleted
from tests.support.gateway.caller import refused, selfie
from tests.support.gateway.receipts import erasures_of, keys_of, signed
from tests.support.gateway.world import World
from tests.support.waiting import until

TABLES = (schema.photos, schema.trainings, schema.galleries, schema.shots, schema.retentions, schema.consents)


def backup_of(world: World) -> Path:
    """A copy of the database and the objects, while no gateway runs."""
    world.database.dispose()
    copy = world.folder / "backup"
    copy.mkdir()
    for path in world.folder.glob("headshots.db*"):
        shutil.copy(path, copy)
    shutil.copytree(world.folder / "objects" / "tenants", copy / "tenants")
    return copy


def restore(world: World, backup: Path) -> None:
    world.database.dispose()
    for path in world.folder.glob("headshots.db*"):
        path.unlink()
    for path in backup.glob("headshots.db*"):
        shutil.copy(path, world.folder)
    shutil.copytree(backup / "tenants", world.folder / "objects" / "tenants", dirs_exist_ok=True)


async def get(world: World, subject: str) -> subjects_pb2.Subject:
    return (await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=subject))).subject


@pytest.mark.parametrize("call", ["DeleteSubject", "WithdrawConsent"])
async def test_nobody_comes_back_from_a_backup(world: World, call: str) -> None:
    erased, living = await world.acme.trained_subject(), await world.acme.trained_subject()
    await world.acme.finished_gallery(await world.acme.gallery(erased, shots_per_style=1))
    await world.kill()
    backup = backup_of(world)
    await world.start(erase_again_seconds=0.1)
    await world.acme(call, getattr(subjects_pb2, f"{call}Request")(name=erased))
    await until(lambda: len(world.rows(schema.subjects)) == 1)
    await world.kill()
    restore(world, backup)
    assert [len(world.rows(table)) for table in TABLES] == [12, 2, 1, 1, 2, 2], "the person is there again"
    await world.start(erase_again_seconds=0.1)
    with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
        await get(world, erased)
    assert (await get(world, living)).photo_count == 6
    await until(lambda: len(world.rows(schema.subjects)) == 1)
    assert [len(world.rows(table)) for table in TABLES] == [6, 1, 0, 0, 1, 1]
    assert not await world.store.list(f"tenants/acme/{erased}")
    assert await world.store.list(f"tenants/acme/{living}")


async def test_receipts_of_since_the_backup_are_listed_again_and_the_next_follows_them(world: World) -> None:
    people = [await world.acme.subject() for _ in range(3)]
    await world.acme.upload(people[1], selfie(1))
    await world.kill()
    await world.start(erase_again_seconds=0.1)
    first = await signed(world.acme, await deleted(world.acme, people[0]))
    await world.kill()
    backup = backup_of(world)
    await world.start(erase_again_seconds=0.1)
    second = await signed(world.acme, await deleted(world.acme, people[1]))
    await until(lambda: len(list((world.folder / "objects" / RECEIPTS).rglob("*.json"))) == 2)
    await world.kill()
    restore(world, backup)
    assert [row.number for row in world.rows(schema.erasures)] == [1], "the second is forgotten"
    await world.start(erase_again_seconds=1e6)
    listed = [(each.number, each.name, each.receipt) for each in await erasures_of(world.acme)]
    assert listed[:2] == [(each.number, each.name, each.receipt) for each in (first, second)]
    assert [number for number, *_ in listed[2:]] == [0], "the person came back, and is erased again"
    await world.kill()
    await world.start(erase_again_seconds=0.1)
    third = await signed(world.acme, await deleted(world.acme, people[2]))
    await until(lambda: all(row.number for row in world.rows(schema.erasures)))
    told = {each.name: each.receipt.encode() for each in await erasures_of(world.acme)}
    assert third.number in (3, 4)
    assert (len(told), verify(told, await keys_of(world.acme)).is_whole) == (4, True)


async def test_a_backup_of_before_the_log_was_followed_brings_nobody_back(world: World) -> None:
    """Of a version of before it: the database has no mark."""
    erased = await world.acme.trained_subject()
    await world.kill()
    with world.database.begin() as connection:
        connection.execute(schema.erasure_log_marks.delete())
    backup = backup_of(world)
    await world.start()
    await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=erased))
    await world.kill()
    restore(world, backup)
    await world.start()
    with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
        await get(world, erased)


async def test_a_log_in_another_store_survives_the_restore_of_the_objects(world: World) -> None:
    log = world.folder / "log"
    await world.kill()
    await world.start(erasure_log_url=log.as_uri())
    erased = await world.acme.trained_subject()
    await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=erased))
    assert len([path for path in (log / FOLDER).rglob("*") if path.is_file()]) == 1
    assert await world.store.list(FOLDER) == []


async def test_a_replay_beside_a_gateway_erases_who_is_trained_and_painted_just_now(world: World) -> None:
    await world.kill()
    await world.start(erase_again_seconds=1.0, shot_lease_seconds=1.0)
    erased, living = await world.acme.trained_subject(), await world.acme.trained_subject()
    world.generator.hold()
    galleries = [await world.acme.gallery(each, shots_per_style=1) for each in (erased, living)]
    await until(lambda: world.generator.running == 2)
    world.trainer.go.clear()
    await world.acme.create_training(erased)
    await until(lambda: any(row.state == schema.RUNNING for row in world.rows(schema.trainings)))
    log = ErasureLog(world.store)
    log.write("acme", erased.split("/")[1], Trigger.REQUEST, 1.75e9)
    assert replay(world.database, world.store, log).subjects == 1
    world.generator.permit()
    world.trainer.go.set()
    assert len((await world.acme.finished_gallery(galleries[1])).images) == 1
    await until(lambda: len(world.rows(schema.subjects)) == 1)
    assert not await world.store.list(f"tenants/acme/{erased}")
    assert {row.subject_id for table in TABLES[:3] for row in world.rows(table)} == {living.split("/")[1]}
