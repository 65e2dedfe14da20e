"""A name resolves to every server behind it, and an eviction reaches each of them."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest

from headshots.artifacts import ArtifactStore
from headshots.errors import FailedPreconditionError, UnavailableError
from headshots.rpc.internal.settings import InternalSettings
from services.gateway.peers import addresses
from services.gateway.peers.addresses import replica_addresses
from services.gateway.peers.evictions import Eviction, together
from services.gateway.peers.generators.rpc import RpcGenerator
from services.gateway.peers.rpc import open_peer
from tests.support.gateway.fake_generator import FakeGenerator
from tests.support.gateway.peer import serve
from tests.support.grants import KEY_FILE, signer_of
from tests.support.ports import free_port

SHA256 = "ab" * 32


def resolving_to(*ips: str) -> Any:
    """What a headless Service's name would answer, each address twice as for two protocols."""

    def getaddrinfo(host: str, port: int, type: int) -> Iterable[Any]:
        assert host == "generator"
        family = {":": socket.AF_INET6}.get(ips[0][0], socket.AF_INET)
        return [(family, type, 0, "", (ip, port)) for ip in (*ips, *ips)]

    return getaddrinfo


def test_a_name_resolves_to_all_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses.socket, "getaddrinfo", resolving_to("10.0.0.2", "10.0.0.1"))
    assert replica_addresses("generator:50053") == ["10.0.0.1:50053", "10.0.0.2:50053"]
    assert replica_addresses("dns:///generator:50053") == ["10.0.0.1:50053", "10.0.0.2:50053"]
    monkeypatch.setattr(addresses.socket, "getaddrinfo", resolving_to("::1"))
    assert replica_addresses("generator:7") == ["[::1]:7"]


def test_addresses_that_are_no_names_are_returned_as_they_are() -> None:
    assert replica_addresses("127.0.0.1:9") == ["127.0.0.1:9"]
    assert replica_addresses("[::1]:9") == ["[::1]:9"]
    assert replica_addresses("unix:/run/generator") == ["unix:/run/generator"]


def test_a_list_of_grpc_names_every_server() -> None:
    assert replica_addresses("ipv4:10.0.0.2:9,10.0.0.1:9") == ["10.0.0.1:9", "10.0.0.2:9"]
    assert replica_addresses("ipv6:[::1]:9,[::1]:10") == ["[::1]:10", "[::1]:9"]


@pytest.fixture
async def two_generators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[FakeGenerator]]:
    """Two generators with addresses of their own behind one name, as pods have."""
    fakes = [FakeGenerator(ArtifactStore.open("memory:///")) for _ in range(2)]
    first = await serve(fakes[0], tmp_path)
    monkeypatch.setattr(
        "services.gateway.peers.generators.rpc.replica_addresses",
        lambda address: [f"127.0.0.1:{port}" for port in (first.port, second.port)],
    )
    second = await serve(fakes[1], tmp_path)
    yield fakes
    await asyncio.gather(first.stop(), second.stop())


def generator_of(home: Path) -> RpcGenerator:
    """The generators of a gateway in this home."""
    channel = open_peer("generator:50053", InternalSettings(home / KEY_FILE))
    return RpcGenerator(channel, signer_of(home))


async def test_an_eviction_reaches_every_replica(tmp_path: Path, two_generators: list[FakeGenerator]) -> None:
    told = await generator_of(tmp_path).evict(SHA256)
    assert (len(told.confirmed), told.silent) == (2, frozenset())
    assert [fake.evicted for fake in two_generators] == [[SHA256], [SHA256]]


async def test_an_eviction_tells_which_replica_is_away_and_reaches_the_others(
    tmp_path: Path, two_generators: list[FakeGenerator], monkeypatch: pytest.MonkeyPatch
) -> None:
    confirmed = (await generator_of(tmp_path).evict(SHA256)).confirmed
    add_dead_replica(monkeypatch)
    told = await generator_of(tmp_path).evict(SHA256)
    assert told.confirmed == confirmed, "a replica is called the same each time"
    assert len(told.silent) == 1
    assert not [each for each in (*told.confirmed, *told.silent) if re.fullmatch("[0-9a-f]{16}", each) is None]
    assert [fake.evicted for fake in two_generators] == [[SHA256] * 2] * 2


async def test_a_replica_that_uses_the_adapter_still_has_not_confirmed(
    tmp_path: Path, two_generators: list[FakeGenerator], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def in_use(*_: object) -> None:
        raise FailedPreconditionError("EVICTION_IN_USE", "a request uses it")

    monkeypatch.setattr(two_generators[0].answers_evictions, "wait", in_use)
    told = await generator_of(tmp_path).evict(SHA256)
    assert (len(told.confirmed), len(told.silent)) == (1, 1)


async def test_replicas_of_another_installation_are_called_otherwise(tmp_path: Path) -> None:
    """Or whoever reads their ids could try all addresses."""
    homes = [tmp_path / "a", tmp_path / "b"]
    assert len({signer_of(home).alias("10.0.0.1:50053") for home in homes}) == 2


def test_of_several_adapters_whoever_was_silent_once_has_not_confirmed() -> None:
    first, second = Eviction(frozenset("ab"), frozenset("c")), Eviction(frozenset("ac"), frozenset("b"))
    assert together([first, second]) == Eviction(frozenset("a"), frozenset("bc"))
    assert together([]) == Eviction()


def add_dead_replica(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name resolves to one more address, where no server listens."""
    from services.gateway.peers.generators import rpc

    known = rpc.replica_addresses
    dead = f"127.0.0.1:{free_port()}"
    monkeypatch.setattr(rpc, "replica_addresses", lambda address: [dead, *known(address)])


async def test_a_name_that_does_not_resolve_is_a_generator_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror("no such name")

    monkeypatch.setattr(addresses.socket, "getaddrinfo", unknown)
    with pytest.raises(UnavailableError) as caught:
        await generator_of(tmp_path).evict(SHA256)
    assert caught.value.reason == "GENERATOR_UNREACHABLE"
    assert "no such name" not in caught.value.message
