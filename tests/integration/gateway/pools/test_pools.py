"""Two foundations are served at once: each adapter's work goes to its own, and neither waits for the other."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from headshots import schema
from headshots.errors import FailedPreconditionError, NotFoundError
from headshots.v1 import foundations_pb2, galleries_pb2, jobs_pb2, subjects_pb2
from services.gateway.scaling.queues import Kind, Queue, count_work
from tests.support.gateway.caller import refused, selfie
from tests.support.gateway.pools import FIRST, SECOND, SECOND_DIGEST, FakePool, Pools, opened_pools
from tests.support.gateway.shoots import finished, order
from tests.support.gateway.world import World
from tests.support.images.pictures import files
from tests.support.waiting import until


@pytest.fixture
async def pools(world: World) -> Pools:
    return await opened_pools(world)


async def gallery_of(world: World, name: str) -> galleries_pb2.Gallery:
    answer = await world.acme("GetGallery", galleries_pb2.GetGalleryRequest(name=name))
    assert isinstance(answer.gallery, galleries_pb2.Gallery)
    return answer.gallery


async def foundation_of(world: World, subject: str) -> str:
    answer = await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=subject))
    return str(answer.subject.foundation)


async def test_an_adapters_work_goes_to_the_pool_of_its_foundation(world: World, pools: Pools) -> None:
    first, second = await pools.trained(world.acme, FIRST), await pools.trained(world.acme, SECOND)
    assert (len(world.trainer.jobs), len(pools.trainer.jobs)) == (1, 1)
    for subject, foundation in ((first, FIRST), (second, SECOND)):
        assert await foundation_of(world, subject) == foundation
        gallery = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=2))
        assert gallery.state == jobs_pb2.JOB_STATE_SUCCEEDED
    assert {f"foundations/{each.adapter.foundation_digest}" for each in world.generator.requests} == {FIRST}
    assert {f"foundations/{each.adapter.foundation_digest}" for each in pools.generator.requests} == {SECOND}
    assert (len(world.generator.requests), len(pools.generator.requests)) == (2, 2)
    assert {len(pools.generator.checks), len(world.generator.checks)} == {1}, "each is checked where it is painted"


async def test_foundations_are_listed_with_the_default_one_and_who_serves_them(world: World, pools: Pools) -> None:
    second, first = await pools.foundations(FIRST, SECOND)
    assert (first.name, first.is_default, first.ready_generators) == (FIRST, True, 1)
    assert (second.name, second.is_default, second.ready_generators) == (SECOND, False, 1)
    page = await world.acme("ListFoundations", foundations_pb2.ListFoundationsRequest(page_size=1))
    assert [each.name for each in page.foundations] == [SECOND]
    rest = foundations_pb2.ListFoundationsRequest(page_size=1, page_token=page.next_page_token)
    assert [each.name for each in (await world.acme("ListFoundations", rest)).foundations] == [FIRST]
    await world.stop_peer(pools.generator_port)
    await pools.are_ready(first=1, second=0)
    found = await world.acme("GetFoundation", foundations_pb2.GetFoundationRequest(name=SECOND))
    assert found.foundation.display_name == "fake", "one that waits is told all the same"


async def test_a_pool_that_is_away_keeps_its_shots_and_the_other_goes_on(world: World, pools: Pools) -> None:
    first, second = await pools.trained(world.acme, FIRST), await pools.trained(world.acme, SECOND)
    await world.stop_peer(pools.generator_port)
    await pools.are_ready(second=0)
    waiting = await world.acme.gallery(second, shots_per_style=12)

    async def tells_why() -> bool:
        return "waiting for a generator" in (await gallery_of(world, waiting)).status_message

    await until(tells_why)
    going_on = await world.acme.finished_gallery(await world.acme.gallery(first, shots_per_style=12))
    assert (going_on.state, len(going_on.images)) == (jobs_pb2.JOB_STATE_SUCCEEDED, 12)
    assert (await gallery_of(world, waiting)).completed_shots == 0
    await world.start_peer(pools.generator, pools.generator_port)
    gallery = await world.acme.finished_gallery(waiting)
    assert (gallery.state, len(gallery.images)) == (jobs_pb2.JOB_STATE_SUCCEEDED, 12)
    assert set(pools.generator.finished.values()) == {1}, "each is painted once"


async def test_a_pool_whose_generators_are_slow_takes_no_room_from_the_other(world: World, pools: Pools) -> None:
    first, second = await pools.trained(world.acme, FIRST), await pools.trained(world.acme, SECOND)
    pools.generator.hold()
    slow = await world.acme.gallery(second, shots_per_style=12)
    await until(lambda: pools.generator.running == 4)
    assert len((await world.acme.finished_gallery(await world.acme.gallery(first, shots_per_style=6))).images) == 6
    assert pools.generator.most_running == 4, "shots_in_flight holds for each foundation"
    pools.generator.permit()
    assert len((await world.acme.finished_gallery(slow)).images) == 12


async def test_a_new_default_moves_subjects_only_when_they_are_trained_again(world: World, pools: Pools) -> None:
    subject = await world.acme.subject()
    await world.acme.upload(subject, *map(selfie, range(6)))
    await world.acme.finished_training((await world.acme.create_training(subject)).name)
    assert await foundation_of(world, subject) == FIRST
    world.generator.hold()
    running = await world.acme.gallery(subject, shots_per_style=2)
    await until(lambda: world.generator.running == 2)
    await pools.restart(default_pool="v2")
    world.expire_leases()
    training = await world.acme.create_training(subject)
    assert (training.foundation, len(pools.trainer.jobs) <= 1) == (SECOND, True)
    await world.acme.finished_training(training.name)
    assert await foundation_of(world, subject) == SECOND
    world.generator.permit()
    assert len((await world.acme.finished_gallery(running)).images) == 2, "what was under way ends on the old one"
    assert not pools.generator.requests
    moved = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    assert (moved.state, len(pools.generator.requests)) == (jobs_pb2.JOB_STATE_SUCCEEDED, 1)


async def test_a_shoot_takes_an_adapter_that_serves_and_trains_on_what_is_named(world: World, pools: Pools) -> None:
    await pools.restart(default_pool="v2", photo_max_pixels=1_000_000)
    await pools.foundations(FIRST, SECOND)
    subject = await world.acme.subject()
    await world.acme.upload(subject, *files(range(6)))
    trained = await world.acme.create_training(subject, foundation=FIRST)
    await world.acme.finished_training(trained.name)
    kept = await order(world.acme, subject, 2)
    assert (kept.training, (await finished(world.acme, kept.name)).state) == (
        trained.name,
        jobs_pb2.JOB_STATE_SUCCEEDED,
    )
    new = await finished(world.acme, (await order(world.acme, subject, 2, foundation=SECOND)).name)
    assert (await world.acme.get_training(new.training)).foundation == SECOND
    assert {len(world.generator.requests), len(pools.generator.requests)} == {2}
    with refused(NotFoundError, "FOUNDATION_NOT_FOUND"):
        await order(world.acme, subject, 2, foundation=f"foundations/{'0' * 64}")


async def test_a_foundation_that_no_pool_runs_cannot_be_trained_on(world: World, pools: Pools) -> None:
    subject = await world.acme.subject()
    await world.acme.upload(subject, *map(selfie, range(6)))
    with refused(NotFoundError, "FOUNDATION_NOT_FOUND"):
        await world.acme.create_training(subject, foundation=f"foundations/{'0' * 64}")
    assert not world.rows(schema.trainings)


async def test_without_its_pool_an_adapter_is_refused_with_the_cure(world: World, pools: Pools) -> None:
    subject = await pools.trained(world.acme, SECOND)
    pools.generator.hold()
    running = await world.acme.gallery(subject, shots_per_style=2)
    await until(lambda: pools.generator.running == 2)
    await pools.restart(pools="")
    world.expire_leases()

    async def waits() -> bool:
        return "a pool that this gateway does not know" in (await gallery_of(world, running)).status_message

    # Another gateway may know the pool: gateways are rolled one after another.
    await until(waits)
    with world.database.begin() as connection:
        connection.execute(sa.update(schema.pools).values(answered_at=0.0))
    gallery = await world.acme.finished_gallery(running)
    assert (gallery.state, gallery.failure.reason) == (jobs_pb2.JOB_STATE_FAILED, "FOUNDATION_NOT_SERVED")
    with refused(FailedPreconditionError, "FOUNDATION_NOT_SERVED") as caught:
        await world.acme.gallery(subject)
    assert SECOND in caught.value.message
    assert "train the subject again" in caught.value.message
    assert await foundation_of(world, subject) == SECOND, "GetSubject tells it all the same"
    older = await pools.trained(world.acme, FIRST)
    assert await world.acme.gallery(older)


async def test_a_gateway_that_starts_while_a_pool_is_away_knows_what_it_runs(world: World, pools: Pools) -> None:
    subject = await pools.trained(world.acme, SECOND)
    await until(lambda: len(world.rows(schema.pools)) == 2)
    await world.stop_peer(pools.generator_port)
    await pools.restart()
    (second, _) = await pools.foundations(SECOND)
    assert second.ready_generators == 0
    name = await world.acme.gallery(subject, shots_per_style=1)
    await until(lambda: world.rows(schema.shots)[0].uncounted_attempts > 0)
    assert not world.generator.requests
    await world.start_peer(pools.generator, pools.generator_port)
    assert (await world.acme.finished_gallery(name)).state == jobs_pb2.JOB_STATE_SUCCEEDED


async def test_a_training_waits_for_the_trainers_of_its_pool(world: World, pools: Pools) -> None:
    subject = await world.acme.subject()
    await world.acme.upload(subject, *map(selfie, range(6)))
    pools.trainer.go.clear()
    training = await world.acme.create_training(subject, foundation=SECOND)
    await until(lambda: bool(pools.trainer.jobs))
    await pools.restart(pools="")

    async def waits() -> bool:
        return "the pool 'v2'" in (await world.acme.get_training(training.name)).status_message

    await until(waits)
    pools.trainer.go.set()
    await pools.restart()
    assert (await world.acme.finished_training(training.name)).state == jobs_pb2.JOB_STATE_SUCCEEDED
    assert (len(pools.trainer.jobs), len(world.trainer.jobs)) == (1, 0)


async def test_a_training_goes_on_where_its_pool_has_another_name(world: World, pools: Pools) -> None:
    subject = await world.acme.subject()
    await world.acme.upload(subject, *map(selfie, range(6)))
    pools.trainer.go.clear()
    training = await world.acme.create_training(subject, foundation=SECOND)
    await until(lambda: bool(pools.trainer.jobs))
    only = {
        "trainer_address": f"127.0.0.1:{pools.trainer_port}",
        "generator_address": f"127.0.0.1:{pools.generator_port}",
    }
    await pools.restart(pools="", **only)
    await pools.foundations(SECOND)
    pools.trainer.go.set()
    assert (await world.acme.finished_training(training.name)).state == jobs_pb2.JOB_STATE_SUCCEEDED
    assert len(pools.trainer.jobs) == 1
    renamed = [FakePool(digest=SECOND_DIGEST, ready=1)]
    with world.database.begin() as connection:
        connection.execute(sa.update(schema.trainings).values(state="running"))
    assert count_work(world.database, Queue(Kind.TRAINERS, "main"), renamed) == 1


async def test_an_erased_adapter_is_forgotten_by_every_pool(world: World, pools: Pools) -> None:
    subject = await pools.trained(world.acme, SECOND)
    await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))
    await until(lambda: bool(pools.generator.evicted) and bool(world.generator.evicted))
