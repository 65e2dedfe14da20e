"""Requests go to the generator that has their adapter, and past those that do not take them."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from headshots.errors import InternalError, InvalidArgumentError, ResourceExhaustedError, UnavailableError
from services.gateway.peers.events import ImageDone
from tests.support.gateway.replicas import FakeReplica, Replicas, adapter, painting
from tests.support.waiting import until, until_equal

FULL = ResourceExhaustedError("QUEUE_FULL", "too many requests", retry_after_seconds=3.0)
DRAINING = UnavailableError("DRAINING", "this generator is shutting down")


async def test_a_request_goes_where_its_adapter_is_in_a_slot(replicas: Replicas) -> None:
    first, second = await replicas.open(2)
    for number in range(6):
        (first if number % 2 else second).slot_adapters.append(adapter(number))
    await until_told(first, second)
    for number in range(6):
        await replicas.paint(painting(adapter(number)))
    assert [request.adapter.sha256 for request in second.requests] == [adapter(number) for number in (0, 2, 4)]
    assert [request.adapter.sha256 for request in first.requests] == [adapter(number) for number in (1, 3, 5)]
    assert replicas.metric("routed_requests_total", tier="slot") == 6


async def until_told(*fakes: FakeReplica) -> None:
    """Waits until what they have now was asked for."""
    for fake in fakes:
        before = fake.described
        # The one after the next began after the next had been answered.
        await until(lambda: fake.described >= before + 2)  # noqa: B023


async def test_a_request_goes_where_one_with_its_adapter_is_under_way(replicas: Replicas) -> None:
    """Without waiting for the generators to tell, which they do not do here."""
    fakes = await replicas.open(2)
    for fake in fakes:
        fake.hold()
    first = asyncio.create_task(replicas.paint(painting(adapter(1))))
    await until(lambda: any(fake.running for fake in fakes))
    home = max(fakes, key=lambda fake: fake.running)
    await until_told(*fakes)
    second = asyncio.create_task(replicas.paint(painting(adapter(1), 1)))
    await until(lambda: sum(fake.running for fake in fakes) == 2)
    assert home.running == 2
    home.permit()
    await asyncio.gather(first, second)
    assert [replicas.metric("routed_requests_total", tier=tier) for tier in ("store", "slot")] == [1, 1]


async def test_a_request_goes_where_the_last_one_with_its_adapter_went(replicas: Replicas) -> None:
    """Nobody has told anything in between."""
    fakes = await replicas.open(2)
    for fake in fakes:
        before, _ = fake.described, fake.describes.clear()
        await until(lambda: fake.described > before)  # noqa: B023
    home, (other,) = await replicas.home_of(adapter(1))
    await replicas.paint(painting(adapter(1), 1))
    assert (len(home.requests), len(other.requests)) == (2, 0)
    assert [replicas.metric("routed_requests_total", tier=tier) for tier in ("store", "slot")] == [1, 1]


async def test_without_an_adapter_the_least_loaded_paints(replicas: Replicas) -> None:
    fakes = await replicas.open(2)
    for fake in fakes:
        fake.hold()
    paintings = [asyncio.create_task(replicas.paint(painting(None, seed))) for seed in range(6)]
    await until(lambda: sum(fake.running for fake in fakes) == 6)
    assert [fake.running for fake in fakes] == [3, 3]
    for fake in fakes:
        fake.permit()
    assert all(isinstance(events[-1], ImageDone) for events in await asyncio.gather(*paintings))
    assert replicas.metric("routed_requests_total", tier="none") == 6


async def test_what_other_gateways_sent_counts(replicas: Replicas) -> None:
    first, second = await replicas.open(2)
    first.requests_of_others = 4
    await until_told(first, second)
    for fake in (first, second):
        fake.hold()
    paintings = [asyncio.create_task(replicas.paint(painting(None, seed))) for seed in range(4)]
    await until(lambda: first.running + second.running == 4)
    assert second.running == 4
    second.permit()
    await asyncio.gather(*paintings)


async def test_no_generator_gets_more_than_a_quarter_beyond_the_mean(replicas: Replicas) -> None:
    fakes = await replicas.open(2)
    for fake in fakes:
        fake.hold()
    paintings = [asyncio.create_task(replicas.paint(painting(adapter(1), seed))) for seed in range(8)]
    await until(lambda: sum(fake.running for fake in fakes) == 8)
    assert max(fake.running for fake in fakes) <= 5
    await until_equal(
        lambda: {replicas.metric("generator_requests_in_flight", generator=replicas.alias(fake)) for fake in fakes},
        {float(fake.running) for fake in fakes},
    )
    for fake in fakes:
        fake.permit()
    await asyncio.gather(*paintings)


@pytest.mark.parametrize(("refusal", "reason"), [(FULL, "full"), (DRAINING, "draining")], ids=["full", "draining"])
async def test_who_refuses_is_passed_over_at_once(
    replicas: Replicas, refusal: ResourceExhaustedError | UnavailableError, reason: str
) -> None:
    await replicas.open(3)
    home, others = await replicas.home_of(adapter(1))
    home.refusal = refusal
    events = await replicas.paint(painting(adapter(1), 1))
    assert isinstance(events[-1], ImageDone)
    assert (len(home.requests), sum(len(fake.requests) for fake in others)) == (2, 1), "who refuses is asked once"
    assert replicas.metric("generators_passed_over_total", reason=reason) == 1


async def test_where_all_refuse_the_caller_hears_when_to_come_back(replicas: Replicas) -> None:
    for fake, refusal in zip(await replicas.open(3), (FULL, FULL, DRAINING), strict=True):
        fake.refusal = refusal
    with pytest.raises(ResourceExhaustedError) as caught:
        await replicas.paint(painting(adapter(1)))
    assert (caught.value.reason, caught.value.retry_after_seconds) == ("QUEUE_FULL", 3.0)
    assert [len(fake.requests) for fake in replicas.fakes] == [1, 1, 1]


async def test_a_request_that_cannot_be_painted_is_passed_on_to_nobody(replicas: Replicas) -> None:
    for fake in await replicas.open(3):
        fake.refusal = InvalidArgumentError("PROMPT_TOO_LONG", "say it in fewer words")
    with pytest.raises(InvalidArgumentError, match="PROMPT_TOO_LONG"):
        await replicas.paint(painting(adapter(1)))
    assert sum(len(fake.requests) for fake in replicas.fakes) == 1


async def test_after_an_event_nothing_is_passed_on_and_the_next_attempt_goes_elsewhere(replicas: Replicas) -> None:
    await replicas.open(2)
    home, (other,) = await replicas.home_of(adapter(1))
    home.painting_failure = InternalError("PAINTING_FAILED", "the server's log says why")
    with pytest.raises(InternalError, match="PAINTING_FAILED"):
        await replicas.paint(painting(adapter(1), 1))
    assert other.requests == []
    await replicas.paint(painting(adapter(1), 1))
    assert len(other.requests) == 1


async def test_after_a_silence_the_next_attempt_goes_elsewhere(replicas: Replicas) -> None:
    await replicas.open(2)
    home, (other,) = await replicas.home_of(adapter(1))
    home.hold()
    async with aclosing(replicas.generator.generate(painting(adapter(1), 1))) as events:
        for _ in range(3):
            await anext(events)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3.5):
                await anext(events)
    await replicas.paint(painting(adapter(1), 1))
    assert len(other.requests) == 1


async def test_checks_and_descriptions_pass_who_does_not_answer(replicas: Replicas) -> None:
    first, second = await replicas.open(2)
    request = replace(painting(adapter(1)), output_prefix="")
    first.takes.clear()
    for _ in range(2):
        assert (await replicas.generator.check(request)).steps == 20
    second.takes.clear()
    first.takes.set()
    assert (await replicas.generator.check(request)).steps == 20
    assert (await replicas.generator.describe()).max_rank == 32


async def test_a_single_generator_is_asked_nothing_and_called_by_its_name(replicas: Replicas) -> None:
    """As without routing: its name's channel tries again by itself, and here reaches nobody."""
    fake = await replicas.join()
    await replicas.open(0)
    await until(lambda: replicas.resolved >= 2)
    with pytest.raises(UnavailableError, match="GENERATOR_UNREACHABLE"):
        await replicas.paint(painting(adapter(1)))
    assert (fake.described, fake.requests) == (0, [])
    assert replicas.metric("generators_passed_over_total", reason="unreachable") == 0
