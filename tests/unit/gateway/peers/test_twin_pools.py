"""Which of several pools is asked where two run the same foundation, or one runs another by now."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import cast

import pytest
from sqlalchemy.engine import Engine

from headshots.errors import FailedPreconditionError, InternalError, UnavailableError
from services.gateway.peers.describer import Describer
from services.gateway.peers.events import GenerationEvent
from services.gateway.peers.evictions import Eviction
from services.gateway.peers.interfaces import Trainer
from services.gateway.peers.metrics import PoolMetrics
from services.gateway.peers.models import GenerationCheck, GenerationRequest, GeneratorDescription
from services.gateway.peers.pools import watching
from services.gateway.peers.pools.pools import Pool, Pools
from services.gateway.peers.pools.watching import PoolWatcher
from tests.support.waiting import PATIENCE_SECONDS, until

OURS, OTHER = "aa" * 32, "bb" * 32
REQUEST = cast("GenerationRequest", None)


class Generators:
    """Of one pool; they count what they are asked to check."""

    def __init__(self, digest: str, ready: int) -> None:
        self.digest, self.ready = digest, ready
        self.answers = True
        self.checked = self.described = 0

    async def run(self) -> None:
        """Nothing to keep track of."""

    async def describe(self) -> GeneratorDescription:
        self.described += 1
        if not self.answers:
            raise UnavailableError("GENERATOR_UNREACHABLE", "away")
        return GeneratorDescription(self.digest, 16, "{subject}", "sks", 8, 8)

    async def check(self, request: GenerationRequest) -> GenerationCheck:
        self.checked += 1
        return cast("GenerationCheck", None)

    async def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        raise NotImplementedError
        yield

    async def evict(self, adapter_sha256: str) -> Eviction:
        if not self.answers:
            raise UnavailableError("GENERATOR_UNREACHABLE", "away")
        return Eviction(frozenset({f"one of {self.ready}"}))


def pools_of(database: Engine, *generators: Generators) -> Pools:
    """Named main, v2 and so on, the first one being the default; each is asked whenever it matters."""
    found = [Pool(name, cast("Trainer", None), each) for name, each in zip(("main", "v2"), generators, strict=True)]
    for pool in found:
        pool.describer = Describer(pool.generator, fresh_seconds=0.0)
    return Pools(found, "main", database)


async def test_twins_are_one_foundation_with_the_generators_of_both(engine: Engine) -> None:
    (served,) = await pools_of(engine, Generators(OURS, 2), Generators(OURS, 3)).served()
    assert (served.ready, served.is_default, served.description.foundation_digest) == (5, True, OURS)


@pytest.mark.parametrize("second", [OURS, OTHER])
async def test_the_log_names_twins_once(engine: Engine, caplog: pytest.LogCaptureFixture, second: str) -> None:
    generators = (Generators(OURS, 1), Generators(second, 1))
    watcher = PoolWatcher(pools_of(engine, *generators), engine, PoolMetrics(None), poll_seconds=0.001)
    running = asyncio.create_task(watcher.run())
    await until(lambda: all(each.described > 5 for each in generators))
    running.cancel()
    told = [line for line in caplog.messages if line.startswith("pools main and v2 run the same foundation")]
    assert len(told) == (second == OURS), caplog.messages


async def test_of_twins_one_that_answers_is_asked(engine: Engine) -> None:
    first, second = Generators(OURS, 1), Generators(OURS, 1)
    pools = pools_of(engine, first, second)
    await pools.served()
    await pools.check(REQUEST, OURS)
    assert (first.checked, second.checked) == (1, 0), "the default one"
    first.answers = False
    with pytest.raises(UnavailableError):
        await pools.each[0].describer.refresh()
    await pools.check(REQUEST, OURS)
    assert (first.checked, second.checked) == (1, 1)


async def test_a_pool_that_runs_another_foundation_by_now_is_not_asked(engine: Engine) -> None:
    first, second = Generators(OTHER, 1), Generators(OURS, 1)
    pools = pools_of(engine, first, second)
    await pools.served()
    first.digest, second.digest = OURS, OTHER
    await pools.check(REQUEST, OURS)
    assert (first.checked, second.checked) == (1, 0)
    first.digest = OTHER
    with pytest.raises(FailedPreconditionError, match="FOUNDATION_NOT_SERVED"):
        await pools.check(REQUEST, OURS)


async def test_an_eviction_that_a_pool_did_not_hear_of_is_not_confirmed(engine: Engine) -> None:
    first, second = Generators(OURS, 1), Generators(OTHER, 2)
    pools = pools_of(engine, first, second)
    assert await pools.evict("c" * 64) == Eviction(frozenset({"one of 1", "one of 2"}))
    second.answers = False
    evicted = await pools.evict("c" * 64)
    assert dataclasses.astuple(evicted) == (frozenset({"one of 1"}), frozenset({"unresolved"}))


async def test_a_missed_pool_is_asked_again_whatever_it_answers(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect in one pool's answer ends neither the questions to it nor what keeps track of the others."""
    monkeypatch.setattr(watching, "RETURN_SECONDS", 0.0)
    only = Generators(OURS, 1)
    (pool,) = pools = [Pool("main", cast("Trainer", None), only)]
    watcher = PoolWatcher(Pools(pools, "main", engine), engine, cast("PoolMetrics", None), poll_seconds=3600.0)
    only.answers = False
    with pytest.raises(UnavailableError):
        await pool.describer.refresh()
    failures, returned = [InternalError("INTERNAL", "odd"), ValueError("odder")], asyncio.Event()

    async def fail_twice() -> None:
        pool.describer.lost()
        if failures:
            raise failures.pop()
        returned.set()

    only.answers, watcher.on_return = True, fail_twice
    running = asyncio.create_task(watcher.run())
    waiting = {running, asyncio.create_task(returned.wait())}
    await asyncio.wait(waiting, timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    assert returned.is_set()
    assert not running.done()
    running.cancel()
