"""Runs the gateway, or all three services, as processes for a scenario."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import grpc.aio
from sqlalchemy.engine import Engine

from headshots import keys
from headshots.artifacts import ArtifactStore
from headshots.client import AsyncHeadshots
from headshots.database import open_database
from tests.support.gateway.fake_generator import FakeGenerator
from tests.support.gateway.fake_trainer import FakeTrainer
from tests.support.gateway.peer import serve
from tests.support.live_platform import LivePlatform
from tests.support.waiting import PATIENCE_SECONDS


class GatewayWorld:
    """A gateway process whose trainer and generator are stand-ins within this process."""

    def __init__(self, folder: Path) -> None:
        home = folder / "home"
        self.platform = LivePlatform(home, folder, folder, services=("gateway",))
        store = ArtifactStore.open((home / "objects").as_uri())
        self.trainer, self.generator = FakeTrainer(store), FakeGenerator(store)
        self.address = self.platform.address("gateway")

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Runs all of it."""
        async with contextlib.AsyncExitStack() as stack:
            for name, peer in (("trainer", self.trainer), ("generator", self.generator)):
                port = int(self.platform.address(name).rpartition(":")[2])
                server = await serve(peer, self.platform.home, port)
                stack.push_async_callback(server.stop)
            stack.enter_context(self.platform)
            yield

    def key(self, tenant: str) -> str:
        """A new API key of a tenant."""
        return new_key(self.platform, tenant)

    def client(self, tenant: str) -> AsyncHeadshots:
        """A client of a tenant."""
        return client_of(self.platform, tenant)

    def channel(self) -> grpc.aio.Channel:
        """A connection of its own, as another client process has."""
        return grpc.aio.insecure_channel(self.address, [("grpc.use_local_subchannel_pool", 1)])


@contextlib.contextmanager
def small_platform(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[LivePlatform]:
    """All three services on a foundation of a few hundred thousand weights."""
    # Brings torch and diffusers along, seconds that the other scenarios need not wait.
    from tests.support.foundations.engines import tiny_foundation, tiny_package

    with LivePlatform(folder / "home", tiny_foundation(), tiny_package().folder, environment) as platform:
        yield platform


@contextlib.contextmanager
def database_of(platform: LivePlatform) -> Iterator[Engine]:
    """The platform's database, for what only its operator may do."""
    database = open_database(f"sqlite:///{platform.home / 'headshots.db'}")
    try:
        yield database
    finally:
        database.dispose()


def new_key(platform: LivePlatform, tenant: str) -> str:
    """A new API key of a tenant of the platform."""
    with database_of(platform) as database:
        return keys.create_key(database, tenant)


def client_of(platform: LivePlatform, tenant: str) -> AsyncHeadshots:
    """A client of a tenant of the platform."""
    return AsyncHeadshots(
        platform.address("gateway"),
        new_key(platform, tenant),
        timeout_seconds=PATIENCE_SECONDS,
        reconnect_seconds=PATIENCE_SECONDS,
    )
