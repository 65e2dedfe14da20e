"""Runs a gateway with everything around it: real gRPC on ephemeral ports, SQLite, and an object store in a folder."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc.aio
import sqlalchemy as sa

from headshots import keys, schema
from headshots.artifacts import ArtifactStore
from headshots.database import open_database
from headshots.faces import FaceAnalyzer
from headshots.imaging.workers.pool import DecoderPool
from headshots.rpc.internal.settings import InternalSettings
from headshots.rpc.server import RunningServer
from services.gateway.settings import GatewaySettings, default_styles
from services.gateway.wiring import Gateway, start_gateway
from tests.support.deploy.tables import make_tables
from tests.support.gateway.caller import Caller
from tests.support.gateway.fake_generator import FakeGenerator
from tests.support.gateway.fake_trainer import FakeTrainer
from tests.support.gateway.peer import Peer, serve
from tests.support.grants import KEY_FILE
from tests.support.ports import free_port


@functools.cache
def shared_decoders() -> DecoderPool:
    """The decoding processes of all gateways of this test process: starting some for each would take a second."""
    pool = DecoderPool(1)
    atexit.register(pool.close)
    return pool


class World:
    """A gateway, its peers, database and store. A test may `kill` and `start` the gateway several times."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = ArtifactStore.open((folder / "objects").as_uri())
        self.database = open_database(f"sqlite:///{folder / 'headshots.db'}")
        make_tables(self.database)
        self.keys = {tenant: keys.create_key(self.database, tenant) for tenant in ("acme", "globex")}
        self.trainer = FakeTrainer(self.store)
        self.generator = FakeGenerator(self.store)
        self.analyzer: FaceAnalyzer | None = None
        """Used by the gateway that `start` starts next."""
        self.gateway: Gateway | None = None
        self._peers: dict[int, RunningServer] = {}
        self.trainer_port = 0
        self.generator_port = 0

    async def open(self, **changes: Any) -> None:
        """Starts the peers and a gateway; `changes` are its settings."""
        self.trainer_port = await self.start_peer(self.trainer)
        self.generator_port = await self.start_peer(self.generator)
        await self.start(**changes)

    async def start_peer(self, peer: Peer, port: int | None = None) -> int:
        """Starts a peer, which runs until `stop_peer` or the test's end; its port."""
        server = await serve(peer, self.folder, port or free_port())
        self._peers[server.port] = server
        return server.port

    async def stop_peer(self, port: int) -> None:
        """Stops the peer on this port; another may start there."""
        await self._peers.pop(port).stop()

    async def start(self, **changes: Any) -> None:
        """Starts a gateway; `changes` are settings."""
        values: dict[str, Any] = {
            "database_url": f"sqlite:///{self.folder / 'headshots.db'}",
            "store_url": (self.folder / "objects").as_uri(),
            "first_key_file": None,
            "receipt_key": self.folder / "receipt-key.pem",
            "styles": default_styles(),
            "internal": InternalSettings(self.folder / KEY_FILE),
            "scratch_dir": self.folder / "unused",
            "authority_file": self.folder / "marking" / "authority.pem",
            "trainer_address": f"127.0.0.1:{self.trainer_port}",
            "generator_address": f"127.0.0.1:{self.generator_port}",
            "port": free_port(),
            "metrics_port": 0,
            "poll_seconds": 0.05,
            "shot_lease_seconds": 60.0,
            "photo_max_pixels": 40_000,
            "shots_in_flight": 4,
            "drain_seconds": 0.1,
        }
        self.gateway = await start_gateway(
            GatewaySettings(**{**values, **changes}), analyzer=self.analyzer, decoders=shared_decoders()
        )
        self._channel = grpc.aio.insecure_channel(f"127.0.0.1:{self.gateway.server.port}")
        self.acme = self.caller(self.keys["acme"])

    def caller(self, key: str | None) -> Caller:
        """A client with this key."""
        return Caller(self._channel, key)

    async def kill(self) -> None:
        """Ends the gateway as a crash does: nothing is drained, no shot put back."""
        assert self.gateway is not None
        gateway, self.gateway = self.gateway, None
        await self._channel.close()
        await gateway.close()
        await gateway.server.stop(0)

    async def terminate(self) -> None:
        """Ends the gateway as SIGTERM does."""
        assert self.gateway is not None
        await self.gateway.drain()
        await self.kill()

    async def close(self) -> None:
        """Ends everything."""
        if self.gateway is not None:
            await self.kill()
        await asyncio.gather(*(peer.stop() for peer in self._peers.values()))
        self.database.dispose()

    def expire_leases(self) -> None:
        """Makes the leases of all shots run out."""
        with self.database.begin() as connection:
            connection.execute(sa.update(schema.shots).values(lease_expires_at=0.0))

    def rows(self, table: sa.Table) -> list[Any]:
        """All rows of a table."""
        with self.database.connect() as connection:
            return list(connection.execute(sa.select(table)))

    async def stored_photos(self) -> tuple[list[Any], list[str]]:
        """The rows of photos and the keys of all objects."""
        return self.rows(schema.photos), await self.store.list("tenants")


@contextlib.asynccontextmanager
async def opened_world(folder: Path, *, analyzer: FaceAnalyzer | None = None, **changes: Any) -> AsyncIterator[World]:
    """A world for one test; `changes` are settings of its gateway."""
    world = World(folder)
    world.analyzer = analyzer
    try:
        await world.open(**changes)
        yield world
    finally:
        await world.close()
