"""Whoever takes a consent back is gone at once, and nothing is left of them, whatever ran."""

from __future__ import annotations

import sqlalchemy as sa

from headshots import schema
from headshots.errors import FailedPreconditionError, NotFoundError
from headshots.v1 import subjects_pb2
from tests.support.gateway import shoots
from tests.support.gateway.caller import refused, selfie
from tests.support.gateway.world import World
from tests.support.waiting import until

TABLES = (schema.consents, schema.photos, schema.trainings, schema.galleries, schema.shots, schema.shoots)


async def withdraw(world: World, subject: str) -> subjects_pb2.WithdrawConsentResponse:
    answer = await world.acme("WithdrawConsent", subjects_pb2.WithdrawConsentRequest(name=subject))
    assert isinstance(answer, subjects_pb2.WithdrawConsentResponse)
    return answer


async def hidden(world: World, subject: str) -> None:
    with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
        await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=subject))
    with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
        await withdraw(world, subject)


async def test_where_nothing_runs_the_subject_is_erased_at_once(world: World) -> None:
    subject, other = await world.acme.trained_subject(), await world.acme.subject()
    await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    stored = await world.store.list(f"tenants/acme/{subject}")
    answer = await withdraw(world, subject)
    assert (answer.erased, answer.deleted_objects) == (True, len(stored))
    assert await world.store.list("tenants") == []
    assert [len(world.rows(table)) for table in TABLES] == [1, 0, 0, 0, 0, 0]
    await hidden(world, subject)
    assert (await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=other))).subject.HasField("consent")


async def test_what_runs_is_stopped_first_and_the_rest_needs_no_call(world: World) -> None:
    # No shot waits until its lease is renewed to learn that it is cancelled.
    await shoots.with_large_photos(world, erase_again_seconds=0.1, shot_lease_seconds=3600.0)
    subject = await shoots.person(world)
    await world.acme.finished_training((await world.acme.create_training(subject)).name)
    world.generator.hold()
    painted = len(world.generator.requests)
    await world.acme.gallery(subject, shots_per_style=9)
    await until(lambda: len(world.generator.requests) > painted)
    world.trainer.go.clear()
    await shoots.order(world.acme, subject, retrain=True)
    await until(lambda: any(row.state == schema.RUNNING for row in world.rows(schema.trainings)))
    world.trainer.fails_cancels = True
    answer = await withdraw(world, subject)
    assert (answer.erased, answer.deleted_objects) == (False, 0)
    await hidden(world, subject)
    assert world.rows(schema.photos)
    world.trainer.fails_cancels = False
    await until(lambda: not world.rows(schema.subjects))
    assert [len(world.rows(table)) for table in TABLES] == [0] * len(TABLES)
    assert await world.store.list("tenants") == []


async def test_a_shoot_that_is_between_training_and_gallery_paints_nothing(world: World) -> None:
    await shoots.with_large_photos(world, erase_again_seconds=3600.0)
    subject = await shoots.person(world)
    world.trainer.go.clear()
    await shoots.order(world.acme, subject)
    await until(lambda: any(row.state == schema.RUNNING for row in world.rows(schema.trainings)))
    # As withdrawn at a moment at which no job could be cancelled.
    with world.database.begin() as connection:
        connection.execute(sa.update(schema.subjects).values(deleting=True))
    world.trainer.go.set()
    await until(lambda: world.rows(schema.shoots)[0].state == schema.FAILED)
    assert world.rows(schema.shoots)[0].failure_reason == "SUBJECT_NOT_FOUND"
    assert world.rows(schema.galleries) == []


async def test_a_withdrawal_that_a_crash_broke_off_goes_on(world: World) -> None:
    made = {"display_name": "Ada Lovelace", "request_id": "r1", "external_id": "4711"}
    subject = await world.acme.subject(**made)
    await world.acme.upload(subject, *map(selfie, range(6)))
    world.trainer.go.clear()
    await world.acme.create_training(subject)
    await until(lambda: world.rows(schema.trainings)[0].state == schema.RUNNING)
    world.trainer.fails_cancels = True
    assert not (await withdraw(world, subject)).erased
    # What the person was called is forgotten at once, and the same create makes somebody new.
    for known in made.values():
        assert known not in repr(world.rows(schema.subjects))
    other = await world.acme.subject(**made)
    assert other != subject
    await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=other))
    await world.kill()
    world.trainer.fails_cancels = False
    await world.start(erase_again_seconds=0.1)
    await until(lambda: not world.rows(schema.subjects))
    assert await world.store.list("tenants") == []


async def test_without_a_consent_there_is_nothing_to_withdraw(world: World) -> None:
    subject = await world.acme.subject(consent=None)
    await world.acme.upload(subject, selfie(1))
    with refused(FailedPreconditionError, "CONSENT_MISSING") as caught:
        await withdraw(world, subject)
    assert "DeleteSubject" in caught.value.message
    assert len(world.rows(schema.photos)) == 1
