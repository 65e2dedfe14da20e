"""What the gateway remembers of its generators while none of them answers."""

from __future__ import annotations

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
