"""The watcher of replicas closes what it opened, outlives a defect, and tells each outage of the resolver once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import cast

import pytest

from headshots.routing.fleet import Answer, Fleet, State
from headshots.rpc.internal.channel import InternalChannel
from services.gateway.peers.generators.watching import Access, ReplicaWatcher
from services.gateway.peers.metrics import PoolMetrics
from tests.support.waiting import until

OURS = "aa" * 32


class FakeChannel:
    """To an address; tells how it was closed."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.closed: list[str] = []

    async def close(self) -> None:
        self.closed.append("at once")

    async def close_unused(self) -> None:
        self.closed.append("when its calls are done")


class Replicas:
    """What a watcher finds, and the channels that it opened."""

    def __init__(self) -> None:
        self.fleet = Fleet()
        self.addresses = ["a", "b"]
        self.trouble: OSError | None = None
        self.defect: Exception | None = None
        self.looks = 0
        self.channels: dict[str, FakeChannel] = {}
        access = Access(self.resolve, lambda address: address, self.open, self.ask)
        metrics = PoolMetrics(None).routing("main")
        self.watcher = ReplicaWatcher(self.fleet, access, metrics, poll_seconds=0.001, answer_seconds=5.0)

    def resolve(self) -> list[str]:
        self.looks += 1
        if self.trouble is not None:
            raise self.trouble
        return list(self.addresses)

    def open(self, address: str) -> InternalChannel:
        self.channels[address] = FakeChannel(address)
        return cast(InternalChannel, self.channels[address])

    async def ask(self, channel: InternalChannel, seconds: float) -> Answer:
        if self.defect is not None:
            raise self.defect
        return Answer(OURS, is_serving=True)

    async def looked(self) -> None:
        """Whatever was changed before has been seen."""
        looks = self.looks
        await until(lambda: self.looks >= looks + 2)

    def are(self, state: State) -> bool:
        return {*self.fleet.states().values()} == {state}


@contextlib.asynccontextmanager
async def watched(replicas: Replicas) -> AsyncIterator[None]:
    running = asyncio.create_task(replicas.watcher.run())
    try:
        await until(lambda: replicas.are(State.READY))
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def replicas() -> Replicas:
    return Replicas()


async def test_the_channel_of_one_that_left_is_closed_when_its_calls_are_done(replicas: Replicas) -> None:
    async with watched(replicas):
        replicas.addresses = ["b", "c"]
        await until(lambda: {*replicas.fleet.states()} == {"b", "c"})
        await until(lambda: bool(replicas.channels["a"].closed))
        assert replicas.channels["a"].closed == ["when its calls are done"], "what it works on goes on"
        assert replicas.channels["b"].closed == []


async def test_at_its_end_all_channels_are_closed(replicas: Replicas) -> None:
    async with watched(replicas):
        pass
    assert [channel.closed for channel in replicas.channels.values()] == [["at once"], ["at once"]]


async def test_a_defect_is_told_and_the_next_look_comes(replicas: Replicas, caplog: pytest.LogCaptureFixture) -> None:
    async with watched(replicas):
        replicas.defect = RuntimeError("of our own")
        await until(lambda: "looking for generators met a defect" in caplog.text)
        assert "of our own" in caplog.text
        replicas.defect, replicas.addresses = None, ["c", "d"]
        await until(lambda: {*replicas.fleet.states()} == {"c", "d"} and replicas.are(State.READY))


async def test_each_outage_of_the_resolver_is_told_once(replicas: Replicas, caplog: pytest.LogCaptureFixture) -> None:
    async with watched(replicas):
        for _ in range(2):
            replicas.trouble = OSError("no such name")
            await replicas.looked()
            replicas.trouble = None
            await replicas.looked()
        assert replicas.are(State.READY)
    assert sum("cannot resolve" in line for line in caplog.messages) == 2
