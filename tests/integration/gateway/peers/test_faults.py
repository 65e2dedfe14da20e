"""Generators that answer late, wrongly or with another foundation, drain, die or join; names that do not resolve."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from headshots import schema
from headshots.errors import HeadshotsError, InternalError, UnauthenticatedError, UnavailableError
from services.gateway.peers.events import ImageDone
from tests.support.gateway.replicas import NAME, FakeReplica, Replicas, adapter, painting
from tests.support.gateway.world import World, opened_world
from tests.support.waiting import until

OTHER_FOUNDATION = "e1" * 32


async def paints_with_all(replicas: Replicas, *fakes: FakeReplica) -> None:
    """Requests with many adapters reach these and nobody else."""
    before = {fake: len(fake.requests) for fake in replicas.fakes}
    for number in range(100, 140):
        await replicas.paint(painting(adapter(number)))
    assert {fake for fake in replicas.fakes if len(fake.requests) > before[fake]} == set(fakes)


async def test_a_generator_that_answers_late_is_left_out_until_it_answers(
    replicas: Replicas, caplog: pytest.LogCaptureFixture
) -> None:
    first, second, third = await replicas.open(3)
    first.describes.clear()
    await replicas.until_state("away", 1)
    assert f"generator {replicas.alias(first)} at {replicas.address(first)} is left out" in caplog.text
    await paints_with_all(replicas, second, third)
    first.describes.set()
    await replicas.until_state("ready", 3)
    await paints_with_all(replicas, first, second, third)


async def test_a_generator_that_takes_a_request_late_is_passed_over(replicas: Replicas) -> None:
    await replicas.open(2)
    home, (other,) = await replicas.home_of(adapter(1))
    home.takes.clear()
    assert isinstance((await replicas.paint(painting(adapter(1), 1)))[-1], ImageDone)
    assert (len(home.requests), len(other.requests)) == (1, 1)
    assert replicas.metric("generators_passed_over_total", reason="late") == 1


async def test_the_last_generator_that_is_left_is_waited_for(replicas: Replicas) -> None:
    """Nobody else is left to take it, and who gave it up would wait at the same one again, behind all others."""
    fakes = await replicas.open(2)
    replicas.generator._patience_seconds = 0.05
    for fake in fakes:
        fake.takes.clear()
    request = painting(adapter(1))
    checked = replicas.generator.check(replace(request, output_prefix=""))
    asked = asyncio.gather(replicas.paint(request), checked)
    await until(lambda: replicas.metric("generators_passed_over_total", reason="late") == 2)
    await asyncio.sleep(0.2)
    for fake in fakes:
        fake.takes.set()
    events, _ = await asked
    assert isinstance(events[-1], ImageDone)
    assert replicas.metric("generators_passed_over_total", reason="late") == 2


@pytest.mark.parametrize(
    "failure",
    [InternalError("INTERNAL", "boom"), UnauthenticatedError("GRANT_INVALID", "another secret"), None],
    ids=["fails", "refuses the grant", "tells nonsense"],
)
async def test_a_generator_that_answers_wrongly_is_left_out(
    replicas: Replicas, caplog: pytest.LogCaptureFixture, failure: HeadshotsError | None
) -> None:
    first, second, third = await replicas.open(3)
    if failure is None:
        first.slot_adapters = ["not a digest"]
    first.description_failure = failure
    await replicas.until_state("away", 1)
    reason = "GENERATOR_PROTOCOL" if failure is None else failure.reason
    (line,) = [line for line in caplog.messages if "is left out" in line]
    assert line.startswith(f"generator {replicas.alias(first)} at {replicas.address(first)} is left out: {reason}")
    await paints_with_all(replicas, second, third)


async def test_a_generator_with_another_foundation_is_left_out_until_most_have_it(
    replicas: Replicas, caplog: pytest.LogCaptureFixture
) -> None:
    first, second, third = await replicas.open(3)
    first.foundation_digest = OTHER_FOUNDATION
    await replicas.until_state("foreign", 1)
    assert f"{replicas.address(first)} is left out: it runs another foundation" in caplog.text
    await paints_with_all(replicas, second, third)
    second.foundation_digest = OTHER_FOUNDATION
    await until(lambda: replicas.address(third) + " is left out" in caplog.text)
    await paints_with_all(replicas, first, second)


async def test_while_the_name_does_not_resolve_the_generators_stay(
    replicas: Replicas, caplog: pytest.LogCaptureFixture
) -> None:
    fakes = await replicas.open(2)
    replicas.resolver_failure = socket.gaierror("no such name")
    asked = replicas.resolved
    await until(lambda: replicas.resolved >= asked + 3)
    assert sum("cannot resolve" in line for line in caplog.messages) == 1, "told once"
    await paints_with_all(replicas, *fakes)
    fakes[0].description_failure = InternalError("INTERNAL", "boom")
    await replicas.until_state("away", 1)


async def test_while_the_resolver_hangs_the_generators_are_asked_and_used(replicas: Replicas) -> None:
    first, second = await replicas.open(2)
    asked = replicas.resolved
    replicas.resolves.clear()
    await until(lambda: replicas.resolved > asked)
    await replicas.servers[first].set_serving(False)
    await replicas.until_state("draining", 1)
    await paints_with_all(replicas, second)
    assert replicas.resolved == asked + 1, "it is not asked again while it hangs"


async def test_a_generator_that_drains_gets_no_more_requests_and_finishes_what_it_has(replicas: Replicas) -> None:
    first, second = await replicas.open(2)
    for fake in (first, second):
        fake.hold()
    running = [asyncio.create_task(replicas.paint(painting(None, seed))) for seed in range(2)]
    await until(lambda: first.running == second.running == 1)
    await replicas.servers[first].set_serving(False)
    await replicas.until_state("draining", 1)
    third = await replicas.join()
    # As Kubernetes does at once with a pod that is to end.
    replicas.addresses.remove(replicas.address(first))
    await replicas.until_state("ready", 2)
    await replicas.until_state("draining", 0)
    second.permit()
    await paints_with_all(replicas, second, third)
    first.permit()
    assert all(isinstance(events[-1], ImageDone) for events in await asyncio.gather(*running))
    assert len(first.requests) == 1


async def test_a_generator_that_joins_gets_requests(replicas: Replicas) -> None:
    first, second = await replicas.open(2)
    await paints_with_all(replicas, first, second)
    third = await replicas.join()
    await replicas.until_state("ready", 3)
    await replicas.paint(painting(None))
    fakes = [first, second, third]
    for fake in fakes:
        fake.hold()
    running = [asyncio.create_task(replicas.paint(painting(adapter(100), seed))) for seed in range(9)]
    await until(lambda: sum(fake.running for fake in fakes) == 9)
    assert third.running >= 1
    for fake in fakes:
        fake.permit()
    await asyncio.gather(*running)


async def test_a_generator_that_is_gone_is_passed_over_before_anybody_asked_it(
    replicas: Replicas, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = await replicas.open(2)
    gone = replicas.alias(first)
    await replicas.stop(first)
    for number in range(10):
        assert isinstance((await replicas.paint(painting(adapter(number))))[-1], ImageDone)
    assert len(second.requests) == 10
    await until(lambda: f"generator {gone} at" in caplog.text)


async def test_where_none_answers_what_it_runs_requests_are_tried_all_the_same(replicas: Replicas) -> None:
    fakes = await replicas.open(2)
    for fake in fakes:
        fake.describes.clear()
    await replicas.until_state("away", 2)
    await paints_with_all(replicas, *fakes)
    for fake in fakes:
        await replicas.stop(fake)
    with pytest.raises(UnavailableError, match="GENERATOR_UNREACHABLE") as caught:
        await replicas.paint(painting(adapter(1)))
    assert "127.0.0.1" not in caught.value.message


@pytest.fixture
async def world(tmp_path: Path, replicas: Replicas) -> AsyncIterator[World]:
    """A gateway with two generators."""
    async with opened_world(tmp_path) as world:
        await world.kill()
        for _ in range(2):
            await replicas.join()
        await world.start(generator_address=NAME, generator_poll_seconds=0.5, preview_every=1)
        yield world


async def test_a_shot_whose_generator_dies_is_painted_by_another(world: World, replicas: Replicas) -> None:
    subject = await world.acme.trained_subject(class_noun="man")
    for fake in replicas.fakes:
        fake.hold()
    name = await world.acme.gallery(subject, shots_per_style=1)
    await until(lambda: any(fake.running for fake in replicas.fakes))
    dying, other = sorted(replicas.fakes, key=lambda fake: -fake.running)
    await replicas.stop(dying)
    other.permit()
    gallery = await world.acme.finished_gallery(name)
    assert len(gallery.images) == 1
    (row,) = world.rows(schema.shots)
    assert row.uncounted_attempts == row.attempt - 1, "a death costs no attempt"
    assert (len(other.requests), other.finished.total()) == (1, 1)


async def test_the_shots_of_a_gallery_are_each_painted_once_over_several_generators(
    world: World, replicas: Replicas
) -> None:
    subject = await world.acme.trained_subject(class_noun="man")
    gallery = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=8))
    assert len(gallery.images) == 8
    painted = [request.seed for fake in replicas.fakes for request in fake.requests]
    assert sorted(painted) == list(range(8))
