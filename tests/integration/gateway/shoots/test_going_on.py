"""A shoot goes on after its gateway was killed at any step: one training, one gallery, each portrait once."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable

import pytest

from headshots import schema
from headshots.v1 import galleries_pb2, jobs_pb2
from services.gateway.shoots import runner
from services.gateway.shoots.advancing import advance
from services.gateway.shoots.models import Shoot
from tests.support.gateway import shoots
from tests.support.gateway.world import World
from tests.support.waiting import until

Boundary = Callable[[World, str], Awaitable[None]]


async def ordered(world: World, name: str) -> None:
    """Nothing of it was done yet: no trainer has heard of it."""
    assert world.rows(schema.shoots)[0].state == schema.PENDING


async def training_runs(world: World, name: str) -> None:
    await until(lambda: world.rows(schema.trainings)[0].state == schema.RUNNING)


async def trained_unseen(world: World, name: str) -> None:
    """The training ends while no gateway runs."""
    await training_runs(world, name)
    await world.kill()
    world.trainer.go.set()
    await until(lambda: all(job.state == jobs_pb2.JOB_STATE_SUCCEEDED for job in world.trainer.jobs.values()))


async def gallery_queued(world: World, name: str) -> None:
    """The gallery is there, and none of it is painted."""
    world.trainer.go.set()
    await until(lambda: len(world.rows(schema.galleries)) == 1)


async def half_painted(world: World, name: str) -> None:
    world.generator.permit(2)
    world.trainer.go.set()
    await until(lambda: sum(row.state == schema.SUCCEEDED for row in world.rows(schema.shots)) == 2)


BOUNDARIES: list[Boundary] = [ordered, training_runs, trained_unseen, gallery_queued, half_painted]


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=lambda boundary: boundary.__name__)
async def test_a_gateway_killed_at_any_step(boundary: Boundary, world: World, subject: str) -> None:
    world.trainer.go.clear()
    world.generator.hold()
    made = await shoots.order(world.acme, subject, count=5)
    await boundary(world, made.name)
    if world.gateway is not None:
        await world.kill()
    world.trainer.go.set()
    world.generator.permit()
    world.expire_leases()
    await world.start(photo_max_pixels=1_000_000)
    await check_one_of_everything(world, made.name)


async def check_one_of_everything(world: World, name: str) -> None:
    shoot = await shoots.finished(world.acme, name)
    assert (shoot.state, shoot.completed_shots, shoot.tries) == (jobs_pb2.JOB_STATE_SUCCEEDED, 5, 5)
    assert shoot.guarantee == galleries_pb2.GUARANTEE_NOT_MEASURED
    (training,), (gallery,) = world.rows(schema.trainings), world.rows(schema.galleries)
    assert (shoot.training.split("/")[-1], shoot.gallery.split("/")[-1]) == (training.id, gallery.id)
    assert len(world.rows(schema.shots)) == 5
    assert set(world.generator.finished.values()) == {1}
    assert len(world.trainer.jobs) == 1
    events = await shoots.watched(world.acme, name, after_event=0)
    assert [each.shoot.event_number for each in events] == list(range(1, len(events) + 1))
    told = list(itertools.chain.from_iterable([image.name for image in each.images] for each in events))
    assert sorted(told) == [f"{shoot.gallery}/images/{number}" for number in range(5)]


@pytest.mark.parametrize("stage", ["training", "gallery"])
async def test_a_loop_that_ends_before_a_step_is_noted_does_it_no_second_time(
    stage: str, world: World, subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step is committed, and whoever made it never hears of it: as killed between the two."""
    lost: set[str] = set()

    def advance_and_die(engine: object, shoot_id: str, **how: bool) -> Shoot | None:
        shoot = advance(engine, shoot_id, **how)  # type: ignore[arg-type]
        at = "gallery" if shoot is not None and shoot.gallery_id else "training"
        if at == stage and at not in lost:
            lost.add(at)
            raise RuntimeError("killed")
        return shoot

    monkeypatch.setattr(runner, "advance", advance_and_die)
    made = await shoots.order(world.acme, subject, count=5)
    await check_one_of_everything(world, made.name)
    assert lost == {stage}
