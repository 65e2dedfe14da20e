"""What the gateway remembers of its generators while none of them answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from headshots.errors import DeadlineExceededError, HeadshotsError, InternalError, UnavailableError
from services.gateway.peers.describer import Describer
from services.gateway.peers.events import GenerationEvent
from services.gateway.peers.evictions import Eviction
from services.gateway.peers.models import GenerationCheck, GenerationRequest, GeneratorDescription

DESCRIPTION = GeneratorDescription("ab" * 32, 16, "{subject}", "ohwx", 128, 128)
FAILURES = [
    UnavailableError("GENERATOR_UNREACHABLE", "away"),
    DeadlineExceededError("DEADLINE_EXCEEDED", "silent"),
    InternalError("GENERATOR_CALL_FAILED", "broken"),
]


class FailingGenerator:
    """Describes itself, or fails."""

    def __init__(self) -> None:
        self.failure: HeadshotsError | None = None

    async def describe(self) -> GeneratorDescription:
        if self.failure is not None:
            raise self.failure
        return DESCRIPTION

    def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        raise AssertionError

    async def check(self, request: GenerationRequest) -> GenerationCheck:
        raise AssertionError

    async def evict(self, adapter_sha256: str) -> Eviction:
        raise AssertionError


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.reason)
async def test_a_generator_that_cannot_say_what_it_runs_is_unavailable(failure: HeadshotsError) -> None:
    generator = FailingGenerator()
    generator.failure = failure
    with pytest.raises(UnavailableError, match="GENERATOR_UNREACHABLE"):
        await Describer(generator).describe()
    describer = Describer(generator)
    describer.recall(DESCRIPTION)
    assert await describer.describe() == DESCRIPTION, "what it said before the process began serves on"
    assert not describer.answers
    with pytest.raises(UnavailableError, match="GENERATOR_UNREACHABLE"):
        await describer.refresh()


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.reason)
async def test_the_last_description_serves_while_none_answers(failure: HeadshotsError) -> None:
    generator = FailingGenerator()
    describer = Describer(generator, fresh_seconds=0)
    assert await describer.describe() == DESCRIPTION
    generator.failure = failure
    assert await describer.describe() == DESCRIPTION


class SlowlyFailingGenerator(FailingGenerator):
    """Fails once it may."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.is_asked, self.fails = 0, asyncio.Event(), asyncio.Event()

    async def describe(self) -> GeneratorDescription:
        self.asked += 1
        self.is_asked.set()
        await self.fails.wait()
        raise FAILURES[0]


async def test_who_waits_for_a_question_that_fails_shares_its_answer() -> None:
    """Or each of a hundred shots would ask in turn, and the last would wait for all of them."""
    generator = SlowlyFailingGenerator()
    describer = Describer(generator)
    waiting = [asyncio.create_task(describer.describe()) for _ in range(5)]
    await generator.is_asked.wait()
    generator.fails.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in found] == [UnavailableError] * 5
    assert generator.asked == 1
    with pytest.raises(UnavailableError):
        await describer.describe()
    assert generator.asked == 2, "who comes later asks anew"


async def test_who_was_asked_in_vain_is_missed_until_one_answers() -> None:
    generator = FailingGenerator()
    describer = Describer(generator)
    assert not describer.is_missed, "nobody has asked"
    generator.failure = FAILURES[0]
    with pytest.raises(UnavailableError):
        await describer.describe()
    assert describer.is_missed
    generator.failure = None
    await describer.refresh()
    assert not describer.is_missed
    describer.lost()
    assert describer.is_missed
