"""A gateway's trainers and generators are called as it would call them, over real gRPC."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from headshots.artifacts import ArtifactStore
from headshots.doctor.findings import Result, State
from headshots.doctor.running import run
from headshots.doctor.secrets import Redactor
from headshots.rpc.internal.port import InternalPort
from headshots.rpc.internal.secret import Secret
from headshots.rpc.server import RunningServer, ServerSettings, start_server
from services.gateway.doctor import rpc
from services.gateway.doctor.rpc import peer_checks
from services.gateway.settings import GatewaySettings
from tests.support.certificates import Authority, settings_with
from tests.support.gateway.fake_trainer import FakeTrainer
from tests.support.gateway.peer import FOUNDATION_DIGEST, serve
from tests.support.gateway.replicas import FakeReplica
from tests.support.grants import KEY_FILE
from tests.support.ports import free_port


@dataclass
class Peers:
    """A trainer, a generator, and the settings of their gateway."""

    trainer: FakeTrainer
    generator: FakeReplica
    servers: dict[str, RunningServer]
    settings: GatewaySettings

    async def looked_at(self, *, may_be_away: bool = False, **changed: object) -> dict[str, list[Result]]:
        """Results by check, with settings that differ."""
        settings = dataclasses.replace(self.settings, **changed)  # type: ignore[arg-type]
        checks = peer_checks(settings, may_be_away=may_be_away)
        found: dict[str, list[Result]] = {}
        for result in await asyncio.to_thread(lambda: list(run("gateway", checks, Redactor({})))):
            found.setdefault(result.check, []).append(result)
        return found


@pytest.fixture
async def peers(tmp_path: Path) -> AsyncIterator[Peers]:
    store = ArtifactStore.open("memory:///")
    fakes = FakeTrainer(store), FakeReplica(store)
    servers = {fake.audience: await serve(fake, tmp_path) for fake in fakes}
    environ = {"HEADSHOTS_HOME": str(tmp_path)} | {
        f"HEADSHOTS_GATEWAY_{name.upper()}_ADDRESS": f"127.0.0.1:{server.port}" for name, server in servers.items()
    }
    yield Peers(*fakes, servers, GatewaySettings.from_environment(environ))
    for server in servers.values():
        await server.stop()


async def test_peers_that_serve_tell_what_they_run(peers: Peers) -> None:
    found = await peers.looked_at()
    assert {each.state for results in found.values() for each in results} == {State.OK}
    for name, server in peers.servers.items():
        assert found[name][0].seen.startswith(f"127.0.0.1:{server.port} serves ")
    assert found["same foundation"][0].seen.endswith(f"digest {FOUNDATION_DIGEST[:12]}…")


async def test_another_foundation_is_a_failure_that_names_both(peers: Peers) -> None:
    peers.generator.foundation_digest = "ab" * 32
    (found,) = (await peers.looked_at())["same foundation"]
    assert found.state is State.FAILED
    assert FOUNDATION_DIGEST[:12] in found.seen
    assert "abababababab" in found.seen
    assert "HEADSHOTS_FOUNDATION" in found.cure


@pytest.mark.parametrize("name", ["trainer", "generator"])
async def test_one_that_is_away_is_told_and_the_other_is_looked_at(peers: Peers, name: str) -> None:
    await peers.servers[name].stop()
    found = await peers.looked_at()
    (away,) = found[name]
    assert away.state is State.FAILED
    assert f"127.0.0.1:{peers.servers[name].port}: SERVER_UNREACHABLE" in away.seen
    assert f"`headshots doctor {name}` there tells more" in away.cure
    (other,) = found["generator" if name == "trainer" else "trainer"]
    assert other.state is State.OK
    assert found["same foundation"][0].state is State.SKIPPED


async def test_one_that_nobody_has_started_yet_is_no_failure_where_that_is_known(peers: Peers) -> None:
    await peers.servers["trainer"].stop()
    found = await peers.looked_at(may_be_away=True)
    assert (found["trainer"][0].state, found["generator"][0].state) == (State.SKIPPED, State.OK)


async def test_one_that_starts_or_drains_is_a_warning(peers: Peers) -> None:
    await peers.servers["generator"].set_serving(False)
    (found,) = (await peers.looked_at())["generator"]
    assert (found.state, "does not serve" in found.seen) == (State.WARNING, True)
    assert found.cure


async def test_a_name_that_does_not_resolve_is_told_with_the_variable(peers: Peers) -> None:
    (found,) = (await peers.looked_at(trainer_address="trainer.invalid:50052"))["trainer"]
    assert found.state is State.FAILED
    assert found.seen.startswith("trainer.invalid:50052 does not resolve")
    assert "HEADSHOTS_GATEWAY_TRAINER_ADDRESS" in found.cure


async def test_none_at_all_is_a_warning_where_they_are_scaled_to_zero(peers: Peers) -> None:
    await peers.servers["generator"].stop()
    found = await peers.looked_at(scaler_port=0, trainer_address="trainer.invalid:50052")
    for name in ("trainer", "generator"):
        (nobody,) = found[name]
        assert (nobody.state, "scaled to zero" in nobody.seen) == (State.WARNING, True)
        assert nobody.cure.startswith("if there is work for it: ")


async def test_another_secret_is_told_with_the_cure(peers: Peers, tmp_path: Path) -> None:
    other = tmp_path / "other" / KEY_FILE
    Secret(other)
    found = await peers.looked_at(internal=dataclasses.replace(peers.settings.internal, key_file=other))
    for name in ("trainer", "generator"):
        (refused,) = found[name]
        assert refused.state is State.FAILED
        assert "GRANT_INVALID" in refused.seen
        assert "the same secret" in refused.cure


async def test_no_secret_is_made(peers: Peers, tmp_path: Path) -> None:
    missing = tmp_path / "none" / KEY_FILE
    found = await peers.looked_at(internal=dataclasses.replace(peers.settings.internal, key_file=missing))
    assert found["trainer"][0].state is State.SKIPPED
    assert not missing.parent.exists()


async def test_every_server_behind_a_name_is_looked_at(peers: Peers, monkeypatch: pytest.MonkeyPatch) -> None:
    real, nobody = peers.servers["generator"].port, free_port()
    addresses = {"generator:50053": [f"127.0.0.1:{real}", f"127.0.0.1:{nobody}"]}
    monkeypatch.setattr(rpc, "replica_addresses", lambda address: addresses.get(address, [address]))
    found = (await peers.looked_at(generator_address="generator:50053"))["generator"]
    assert [each.state for each in found] == [State.OK, State.FAILED]
    assert str(nobody) in found[1].seen


async def test_each_pool_is_looked_at_and_two_of_one_foundation_are_a_warning(peers: Peers, tmp_path: Path) -> None:
    trainer, generator = FakeTrainer(peers.trainer.store), FakeReplica(peers.trainer.store)
    servers = [await serve(fake, tmp_path) for fake in (trainer, generator)]
    pools = "v2=" + ",".join(f"127.0.0.1:{server.port}" for server in servers)
    try:
        found = await peers.looked_at(pools=pools)
        assert found.keys() == {
            *("trainer", "generator", "same foundation"),
            *("trainer of pool v2", "generator of pool v2", "same foundation of pool v2"),
            "pools",
        }
        (twins,) = found["pools"]
        assert (twins.state, "pools main, v2 run the same foundation" in twins.seen) == (State.WARNING, True)
        generator.foundation_digest = "ab" * 32
        assert (await peers.looked_at(pools=pools))["same foundation of pool v2"][0].state is State.FAILED
        trainer.foundation_digest = "ab" * 32
        found = await peers.looked_at(pools=pools)
        assert {each.state for results in found.values() for each in results} == {State.OK}
        assert found["pools"][0].seen == f"main: {FOUNDATION_DIGEST[:12]}…; v2: abababababab…"
        await servers[1].stop()
        (away,) = (await peers.looked_at(pools=pools))["generator of pool v2"]
        assert (away.state, peers.settings.scaler_port) == (State.FAILED, None)
        (nowhere,) = (await peers.looked_at(pools="v2=trainer.invalid:1,generator.invalid:2"))["trainer of pool v2"]
        assert "v2 in HEADSHOTS_GATEWAY_POOLS" in nowhere.cure
        await peers.servers["trainer"].stop()
        await peers.servers["generator"].stop()
        await servers[0].stop()
        assert (await peers.looked_at(pools=pools))["pools"][0].state is State.SKIPPED
    finally:
        for server in servers:
            await server.stop()


async def test_certificates_are_used_as_the_gateway_does(peers: Peers, tmp_path: Path) -> None:
    authority = Authority.make(tmp_path / "ca")
    internal = settings_with(authority.issue(tmp_path / "tls"), tmp_path)
    server = await start_server(
        peers.generator.register,
        ServerSettings(),
        registry=CollectorRegistry(),
        internal=InternalPort("generator", internal),
    )
    try:
        address = f"localhost:{server.port}"
        (found,) = (await peers.looked_at(generator_address=address, internal=internal))["generator"]
        assert found.state is State.OK, found
        stranger = Authority.make(tmp_path / "other-ca").issue(tmp_path / "other-tls")
        settings = settings_with(stranger, tmp_path)
        (found,) = (await peers.looked_at(generator_address=address, internal=settings))["generator"]
        assert found.state is State.FAILED
        assert "its certificate's names and CA" in found.cure
    finally:
        await server.stop()
