"""Certificates that end, and CAs that change, while services run: what goes on, what is told, and what heals it."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from headshots.artifacts import ArtifactStore
from headshots.errors import InvalidArgumentError, UnavailableError
from headshots.rpc.internal.certificates import utc
from headshots.rpc.internal.expiry import CertificatesInUse
from services.gateway.peers.generators.rpc import RpcGenerator
from tests.support.certificates import Authority, settings_with
from tests.support.gateway.fake_generator import FakeGenerator
from tests.support.mutual_tls import PREFIX, REQUEST, gateway, reaches, serve
from tests.support.waiting import until

METRIC = "headshots_internal_certificate_expiry_timestamp_seconds"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.make(tmp_path / "ca")


@pytest.fixture
def fake() -> FakeGenerator:
    return FakeGenerator(ArtifactStore.open("memory:///"))


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
async def address(
    tmp_path: Path, authority: Authority, fake: FakeGenerator, registry: CollectorRegistry
) -> AsyncIterator[str]:
    """Of a generator whose certificates lie in `server`; those of its gateway lie in `client`."""
    authority.issue(tmp_path / "client")
    running = await serve(fake, settings_with(authority.issue(tmp_path / "server"), tmp_path), registry)
    yield f"127.0.0.1:{running.port}"
    await running.stop()


def soon() -> float:
    """The second after the next: a certificate that ends then is still good for what a test does before."""
    return int(time.time()) + 2.0


async def reconnects(generator: RpcGenerator) -> bool:
    """Whether a gateway that runs reaches it over a connection that it has to open."""
    await generator._channel.close_unused()
    try:
        await generator.describe()
    except UnavailableError as error:
        return error.reason != "GENERATOR_UNREACHABLE"
    return True


async def test_the_ca_changes_in_three_steps_and_no_call_is_refused(
    tmp_path: Path, authority: Authority, address: str, fake: FakeGenerator
) -> None:
    old, new = (authority.folder / "ca.crt").read_bytes(), Authority.make(tmp_path / "new")
    server, client, both = tmp_path / "server", tmp_path / "client", old + (new.folder / "ca.crt").read_bytes()
    settings = settings_with(client, tmp_path)
    fake.hold()
    async with gateway(tmp_path, settings, address) as generator:
        painting = generator.generate(REQUEST)
        await anext(painting)

        async def goes_on() -> None:
            assert await reconnects(generator), "a gateway that runs"
            assert await reaches(tmp_path, settings, address), "one that starts now"

        for folder in (server, client):
            (folder / "ca.crt").write_bytes(both)
            await goes_on()
        for folder in (client, server):
            new.issue(folder)
            (folder / "ca.crt").write_bytes(both)
            await goes_on()
        for folder in (client, server):
            (folder / "ca.crt").write_bytes((new.folder / "ca.crt").read_bytes())
            await goes_on()
        fake.permit()
        assert [event async for event in painting][-1].key.startswith(PREFIX)  # type: ignore[union-attr]
        stranger = settings_with(authority.issue(tmp_path / "of the old CA"), tmp_path)
        assert not await reaches(tmp_path, stranger, address)


@pytest.mark.parametrize("side", ["server", "client"])
async def test_one_that_ends_while_running_is_told_and_ends_no_call_and_its_renewal_heals_it(
    tmp_path: Path,
    authority: Authority,
    address: str,
    fake: FakeGenerator,
    caplog: pytest.LogCaptureFixture,
    side: str,
) -> None:
    fake.hold()
    async with gateway(tmp_path, settings_with(tmp_path / "client", tmp_path), address) as generator:
        authority.issue_until(tmp_path / side, ends_at := soon())
        painting = generator.generate(REQUEST)
        await anext(painting)

        async def is_refused() -> bool:
            return not await reconnects(generator)

        await until(is_refused)
        assert not await reconnects(generator)
        told = [record.message for record in caplog.records if "peers refuse new connections" in record.message]
        assert len(told) == 1
        assert f"{tmp_path / side / 'tls.crt'} expired on {utc(ends_at)}" in told[0]
        authority.issue(tmp_path / side)
        assert await reconnects(generator)
        fake.permit()
        assert [event async for event in painting][-1].key.startswith(PREFIX)  # type: ignore[union-attr]


async def test_a_renewal_that_brings_an_expired_one_is_not_taken_and_its_file_and_date_are_told(
    tmp_path: Path, authority: Authority, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    authority.issue_until(tmp_path / "server", 1_700_000_000)
    with caplog.at_level(logging.ERROR):
        assert await reaches(tmp_path, settings_with(tmp_path / "client", tmp_path), address)
    (told,) = [record.message for record in caplog.records if "are not taken" in record.message]
    assert f"{tmp_path / 'server' / 'tls.crt'} has expired, on 2023-11-14 22:13 UTC" in told
    with pytest.raises(InvalidArgumentError, match=r"CERTIFICATE_INVALID.*tls\.crt has expired, on 2023-11-14"):
        settings_with(tmp_path / "server", tmp_path).certificates(server=False)


def test_a_ca_that_ends_first_is_told_by_its_own_file_and_once(
    tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    files = settings_with(authority.issue(tmp_path / "own", days=30), tmp_path).certificate_files
    assert files is not None
    now = time.time()
    certificates = CertificatesInUse(files, server=True, clock=lambda: now)
    certificates.current()
    assert not caplog.messages
    now = certificates.ends()["ca"]
    assert certificates.current() == certificates.current(), "they are given all the same"
    (told,) = caplog.messages
    assert told.startswith(f"{tmp_path / 'own' / 'ca.crt'} expired on {utc(now)}")


async def test_the_metric_tells_when_they_end_and_follows_a_renewal(
    tmp_path: Path, authority: Authority, address: str, registry: CollectorRegistry
) -> None:
    authority.issue_until(tmp_path / "server", ends_at := int(time.time()) + 1000)
    assert registry.get_sample_value(METRIC, {"certificate": "own"}) == ends_at
    authority.issue_until(tmp_path / "server", ends_at + 1000)
    assert registry.get_sample_value(METRIC, {"certificate": "own"}) == ends_at + 1000
    of_the_ca = registry.get_sample_value(METRIC, {"certificate": "ca"})
    assert of_the_ca == pytest.approx(time.time() + 2 * 86400, abs=3600)
