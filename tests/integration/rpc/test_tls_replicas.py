"""Several replicas behind one name over mutual TLS: called by their addresses, known by the name's certificate."""

from __future__ import annotations

import asyncio
from collections import Counter
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
    registry, client = CollectorRegistry(), settings_with(authority.issue(tmp_path / "client", kind="client"), tmp_path)
    channel, routing = open_peer(NAME, client), PoolMetrics(registry).routing("main")
    generator = RpcGenerator(channel, signer_of(tmp_path), routing, poll_seconds=0.2)
    running = asyncio.create_task(generator.run())

    def states() -> Counter[str]:
        found = registry.get_sample_value
        name = "headshots_gateway_generators"
        return Counter({each: int(found(name, {"pool": "main", "state": each}) or 0) for each in ("ready", "away")})

    async def paint(numbers: range) -> list[int]:
        before = [len(fake.requests) for fake in fakes]
        for number in numbers:
            assert [event async for event in generator.generate(painting(adapter(number)))]
        return [len(fake.requests) - count for fake, count in zip(fakes, before, strict=True)]

    try:
        await until_equal(states, Counter(ready=2, away=1))
        first, second, third = await paint(range(20))
        assert (first + second, third, first > 0, second > 0) == (20, 0, True, True)
        # As cert-manager renews: files change under running servers, and the next connections use them.
        for folder in folders[:2]:
            authority.issue(folder, names="DNS:generator")
        await servers[0].stop()
        await until_equal(states, Counter(ready=1, away=2))
        assert (await paint(range(20)))[1] == 20
        servers[0] = await serve(fakes[0], settings_with(folders[0], tmp_path), int(addresses[0].rpartition(":")[2]))
        await until_equal(states, Counter(ready=2, away=1))
        assert (await paint(range(20)))[0] > 0
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await channel.close()
        await asyncio.gather(*(server.stop() for server in servers))
