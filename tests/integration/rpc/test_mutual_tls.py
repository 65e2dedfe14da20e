"""Internal ports over mutual TLS, with certificates that openssl made: who may connect, and what a renewal changes."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import CollectorRegistry

from headshots.artifacts import ArtifactStore
from headshots.errors import InvalidArgumentError
from headshots.rpc.channel import open_channel
from headshots.rpc.internal.port import InternalPort
from headshots.rpc.internal.settings import InternalSettings
from headshots.rpc.server import RunningServer, ServerSettings, start_server
from services.gateway.peers.generators.rpc import RpcGenerator
from services.gateway.peers.rpc import open_peer
from tests.support.certificates import Authority, settings_with
from tests.support.gateway.fake_generator import FakeGenerator
from tests.support.grants import KEY_FILE, signer_of
from tests.support.mutual_tls import PREFIX, REQUEST, gateway, reaches, serve
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.make(tmp_path / "ca")


@pytest.fixture
def fake() -> FakeGenerator:
    return FakeGenerator(ArtifactStore.open("memory:///"))


@pytest.fixture
async def served(tmp_path: Path, authority: Authority, fake: FakeGenerator) -> AsyncIterator[RunningServer]:
    """A generator with a certificate; its home is `tmp_path`."""
    running = await serve(fake, settings_with(authority.issue(tmp_path / "server"), tmp_path), health_port=0)
    yield running
    await running.stop()


async def test_a_gateway_with_a_certificate_of_the_ca_reaches_it(
    tmp_path: Path, authority: Authority, served: RunningServer, fake: FakeGenerator
) -> None:
    settings = settings_with(authority.issue(tmp_path / "client", kind="client"), tmp_path)
    assert await reaches(tmp_path, settings, f"127.0.0.1:{served.port}")
    async with gateway(tmp_path, settings, f"localhost:{served.port}") as generator:
        await generator.evict("ab" * 32)
    assert set(fake.evicted) == {"ab" * 32}


@pytest.mark.parametrize(
    "who", ["without TLS", "without a certificate", "of another CA", "made for servers", "expired"]
)
async def test_nobody_else_reaches_it(tmp_path: Path, authority: Authority, served: RunningServer, who: str) -> None:
    address = f"127.0.0.1:{served.port}"
    ca = (tmp_path / "server" / "ca.crt").read_bytes()
    folder = authority.issue(tmp_path / "client", kind="server" if who == "made for servers" else "both")
    if who == "of another CA":
        folder = Authority.make(tmp_path / "foreign").issue(tmp_path / "client")
    if who == "expired":
        folder = authority.issue(tmp_path / "client", days=-1)
    chain, key = (folder / "tls.crt").read_bytes(), (folder / "tls.key").read_bytes()
    credentials = {
        "without TLS": None,
        "without a certificate": grpc.ssl_channel_credentials(ca),
    }.get(who, grpc.ssl_channel_credentials(ca, key, chain))
    async with open_channel(address, credentials=credentials, options={"grpc.enable_retries": 0}) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE_SECONDS)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_server_of_another_name_or_ca_is_not_called(
    tmp_path: Path, authority: Authority, fake: FakeGenerator
) -> None:
    client = settings_with(authority.issue(tmp_path / "client"), tmp_path)
    elsewhere = authority.issue(tmp_path / "elsewhere", names="DNS:elsewhere")
    foreign = Authority.make(tmp_path / "foreign").issue(tmp_path / "server")
    for folder in (elsewhere, foreign):
        running = await serve(fake, settings_with(folder, tmp_path))
        assert not await reaches(tmp_path, client, f"127.0.0.1:{running.port}")
        await running.stop()


async def test_one_of_many_replicas_is_known_by_the_name_of_all(
    tmp_path: Path, authority: Authority, fake: FakeGenerator
) -> None:
    """An eviction calls each pod by its IP address, and the certificate has the Service's name alone."""
    running = await serve(fake, settings_with(authority.issue(tmp_path / "server", names="DNS:localhost"), tmp_path))
    client = settings_with(authority.issue(tmp_path / "client"), tmp_path)
    assert not await reaches(tmp_path, client, f"127.0.0.1:{running.port}")
    async with gateway(tmp_path, client, f"localhost:{running.port}") as generator:
        replica = generator._channel.replica(f"127.0.0.1:{running.port}")
        await RpcGenerator(replica, signer_of(tmp_path)).describe()
        await replica.close()
    await running.stop()


async def test_renewed_certificates_are_taken_by_a_running_server_and_a_long_living_channel(
    tmp_path: Path, authority: Authority, served: RunningServer, fake: FakeGenerator
) -> None:
    """The whole CA changes; a call that runs goes on, and the next ones use the new certificates."""
    settings = settings_with(authority.issue(tmp_path / "client"), tmp_path)
    fake.hold()
    async with gateway(tmp_path, settings, f"127.0.0.1:{served.port}") as generator:
        running = generator.generate(REQUEST)
        await anext(running)
        before = dataclasses.replace(settings, **_copied(tmp_path / "client", tmp_path / "before"))
        new = Authority.make(tmp_path / "new")
        new.issue(tmp_path / "server")
        new.issue(tmp_path / "client")
        await generator.describe()
        assert len(generator._channel._opened) == 2, "the old connection has a call, the new one has the next"
        assert not await reaches(tmp_path, before, f"127.0.0.1:{served.port}"), "nobody has the old CA any more"
        fake.permit()
        assert [event async for event in running][-1].key.startswith(PREFIX)  # type: ignore[union-attr]
        assert len(generator._channel._opened) == 1


def _copied(source: Path, target: Path) -> dict[str, Path]:
    target.mkdir()
    for path in source.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    names = {"certificate_file": "tls.crt", "certificate_key_file": "tls.key", "ca_file": "ca.crt"}
    return {field: target / name for field, name in names.items()}


@pytest.mark.parametrize("broken", ["tls.key", "tls.crt", "ca.crt"])
async def test_a_broken_renewal_keeps_the_last_good_one_and_is_told_once(
    tmp_path: Path,
    authority: Authority,
    served: RunningServer,
    broken: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = settings_with(authority.issue(tmp_path / "client"), tmp_path)
    (tmp_path / "server" / broken).write_text("half a file")
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            assert await reaches(tmp_path, settings, f"127.0.0.1:{served.port}")
        assert len([record for record in caplog.records if "are not taken" in record.message]) == 1
        authority.issue(tmp_path / "server")
        assert await reaches(tmp_path, settings, f"127.0.0.1:{served.port}")
    assert [record.message for record in caplog.records if "were taken" in record.message]


async def test_the_health_port_answers_probes_that_speak_no_tls_and_nothing_else(served: RunningServer) -> None:
    assert served.health_port is not None
    async with open_channel(f"127.0.0.1:{served.health_port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service="headshots.v1.GeneratorService")
        assert (await stub.Check(request)).status == health_pb2.HealthCheckResponse.SERVING
        await served.set_serving(False)
        assert (await stub.Check(request)).status == health_pb2.HealthCheckResponse.NOT_SERVING
        for method in (
            "/headshots.v1.GeneratorService/DescribeGenerator",
            "/grpc.reflection.v1alpha.ServerReflection/X",
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await channel.unary_unary(method)(b"")
            assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


# ---- at the start


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "generator.example.com"])
def test_without_certificates_a_port_opens_on_loopback_only(tmp_path: Path, host: str) -> None:
    port = InternalPort("generator", InternalSettings(tmp_path / KEY_FILE))
    for loopback in ("127.0.0.1", "127.0.0.2", "::1", "[::1]", "localhost"):
        assert port.credentials(loopback, "HOST") is None
    with pytest.raises(InvalidArgumentError, match=rf"INTERNAL_PORT_OPEN: X_HOST={host}") as caught:
        port.credentials(host, "X_HOST")
    assert "HEADSHOTS_INTERNAL_CERTIFICATE_FILE" in caught.value.message


async def test_the_server_is_refused_before_it_listens(tmp_path: Path, fake: FakeGenerator) -> None:
    with pytest.raises(InvalidArgumentError, match="INTERNAL_PORT_OPEN"):
        await start_server(
            fake.register,
            ServerSettings("0.0.0.0"),
            registry=CollectorRegistry(),
            internal=InternalPort("generator", InternalSettings(tmp_path / KEY_FILE)),
        )


def test_certificates_that_cannot_work_stop_the_start_with_the_reason(tmp_path: Path, authority: Authority) -> None:
    folder = tmp_path / "server"

    def refused(reason: str, *, server: bool = True) -> None:
        with pytest.raises(InvalidArgumentError, match=f"CERTIFICATE_INVALID.*{reason}"):
            settings_with(folder, tmp_path).certificates(server=server)

    refused("No such file")
    authority.issue(folder, days=-1)
    refused("has expired")
    authority.issue(folder, kind="client")
    refused("purpose")
    authority.issue(folder, kind="server")
    refused("purpose", server=False)
    authority.issue(folder)
    (folder / "ca.crt").write_bytes((Authority.make(tmp_path / "foreign").folder / "ca.crt").read_bytes())
    refused("issuer")
    Authority(tmp_path / "foreign").issue(tmp_path / "other")
    (folder / "tls.key").write_bytes((tmp_path / "other" / "tls.key").read_bytes())
    refused("the key is not the certificate's")
    (folder / "tls.key").write_text("no key")
    refused("PEM")
    authority.issue(folder)
    (folder / "ca.crt").write_bytes(b"\xff\xfe")
    refused("not PEM")


def test_some_of_the_three_files_are_not_enough() -> None:
    with pytest.raises(InvalidArgumentError, match=r"SETTING_INVALID.*_CERTIFICATE_KEY_FILE and .*_CA_FILE"):
        InternalSettings.from_environment({"HEADSHOTS_INTERNAL_CERTIFICATE_FILE": "/tls/tls.crt"})


def test_a_gateway_refuses_certificates_that_cannot_work(tmp_path: Path, authority: Authority) -> None:
    with pytest.raises(InvalidArgumentError, match="CERTIFICATE_INVALID"):
        open_peer("generator:50053", settings_with(authority.issue(tmp_path / "client", days=-1), tmp_path))
