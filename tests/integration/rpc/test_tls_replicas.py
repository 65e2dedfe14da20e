"""Several replicas behind one name over mutual TLS: called by their addresses, known by the name's certificate."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from headshots.artifacts import ArtifactStore
from headshots.rpc.internal.port import InternalPort
from headshots.rpc.internal.settings import InternalSettings
from headshots.rpc.server import RunningServer, ServerSettings, start_server
from services.gateway.peers.generators.rpc import RpcGenerator
from services.gateway.peers.metrics import PoolMetrics
from services.gateway.peers.rpc import open_peer
from tests.support.certificates import Authority, settings_with
from tests.support.gateway.replicas import NAME, FakeReplica, adapter, painting
from tests.support.grants import signer_of
from tests.support.waiting import until_equal


async def serve(fake: FakeReplica, internal: InternalSettings, port: int = 0) -> RunningServer:
    settings = ServerSettings(port=port)
    port_of = InternalPort("generator", internal)
    return await start_server(fake.register, settings, registry=CollectorRegistry(), internal=port_of)


class Replicated:
    """A gateway's generators, and how it calls them."""

    def __init__(self, home: Path, client: InternalSettings, fakes: list[FakeReplica]) -> None:
        self.registry, self.fakes = CollectorRegistry(), fakes
        self.channel, routing = open_peer(NAME, client), PoolMetrics(self.registry).routing("main")
        self.generator = RpcGenerator(self.channel, signer_of(home), routing, poll_seconds=0.2)

    async def until(self, **states: int) -> None:
        """Waits until so many are ready and away."""
        await until_equal(lambda: {state: self._count(state) for state in states}, states)

    def _count(self, state: str) -> float | None:
        return self.registry.get_sample_value("headshots_gateway_generators", {"pool": "main", "state": state})

    async def paint(self) -> list[int]:
        """Requests with 20 adapters; how many each got."""
        before = [len(fake.requests) for fake in self.fakes]
        for number in range(20):
            assert [event async for event in self.generator.generate(painting(adapter(number)))]
        return [len(fake.requests) - count for fake, count in zip(self.fakes, before, strict=True)]


async def test_replicas_are_told_apart_over_mutual_tls_and_renewed_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority.make(tmp_path / "ca")
    fakes = [FakeReplica(ArtifactStore.open("memory:///")) for _ in range(3)]
    # The third one's certificate is of another service: nobody may pose as a generator.
    names = ("DNS:generator", "DNS:generator", "DNS:trainer")
    folders = [authority.issue(tmp_path / f"server{number}", names=name) for number, name in enumerate(names)]
    servers = [await serve(fake, settings_with(folder, tmp_path)) for fake, folder in zip(fakes, folders, strict=True)]
    addresses = [f"127.0.0.1:{server.port}" for server in servers]
    monkeypatch.setattr("services.gateway.peers.generators.rpc.replica_addresses", lambda address: list(addresses))
    client = settings_with(authority.issue(tmp_path / "client", kind="client"), tmp_path)
    gateway = Replicated(tmp_path, client, fakes)
    running = asyncio.create_task(gateway.generator.run())
    try:
        await gateway.until(ready=2, away=1)
        first, second, third = await gateway.paint()
        assert (first + second, third, first > 0, second > 0) == (20, 0, True, True)
        # As cert-manager renews: files change under running servers, and the next connections use them.
        for folder in folders[:2]:
            authority.issue(folder, names="DNS:generator")
        await servers[0].stop()
        await gateway.until(ready=1, away=2)
        assert (await gateway.paint())[1] == 20
        servers[0] = await serve(fakes[0], settings_with(folders[0], tmp_path), servers[0].port)
        await gateway.until(ready=2, away=1)
        assert (await gateway.paint())[0] > 0
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await gateway.channel.close()
        await asyncio.gather(*(server.stop() for server in servers))
