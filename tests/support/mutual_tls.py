"""A generator's port and a gateway that calls it, with the certificates of a folder each."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from prometheus_client import CollectorRegistry

from headshots.errors import UnavailableError
from headshots.rpc.internal.port import InternalPort
from headshots.rpc.internal.settings import InternalSettings
from headshots.rpc.server import RunningServer, ServerSettings, start_server
from services.gateway.peers.generators.rpc import RpcGenerator
from services.gateway.peers.models import Adapter, GenerationRequest
from services.gateway.peers.rpc import open_peer
from tests.support.gateway.fake_generator import FakeGenerator
from tests.support.grants import signer_of

PREFIX = "tenants/acme/subjects/s"
REQUEST = GenerationRequest(
    tenant="acme",
    adapter=Adapter("a" * 64, f"{PREFIX}/adapters/1/a", "f0" * 32, 4, "sks", 1, "", ""),
    prompt="photo of sks man",
    seed=0,
    image_format=0,
    quality=0,
    preview_every=0,
    output_prefix=f"{PREFIX}/images",
    priority=0,
)


async def serve(
    fake: FakeGenerator, internal: InternalSettings, registry: CollectorRegistry | None = None, **settings: int
) -> RunningServer:
    return await start_server(
        fake.register,
        ServerSettings(**settings),
        registry=registry or CollectorRegistry(),
        internal=InternalPort("generator", internal),
    )


@contextlib.asynccontextmanager
async def gateway(home: Path, settings: InternalSettings, address: str) -> AsyncIterator[RpcGenerator]:
    channel = open_peer(address, settings)
    try:
        yield RpcGenerator(channel, signer_of(home))
    finally:
        await channel.close()


async def reaches(home: Path, settings: InternalSettings, address: str) -> bool:
    async with gateway(home, settings, address) as generator:
        try:
            await generator.describe()
        except UnavailableError as error:
            return error.reason != "GENERATOR_UNREACHABLE"
        return True
