"""A gateway with everything around it: real gRPC on ephemeral ports, SQLite and an object store in a folder."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import grpc.aio
import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from headshots import keys, schema
from headshots.artifacts import ArtifactStore
from headshots.client.stub import GatewayStub
from headshots.database import migrate, open_database
from headshots.errors import HeadshotsError
from headshots.faces import FaceAnalyzer
from headshots.rpc.channel import error_from_rpc
from headshots.rpc.server import RunningServer
from headshots.v1 import galleries_pb2, jobs_pb2, photos_pb2, subjects_pb2, trainings_pb2
from services.gateway.settings import GatewaySettings, default_styles
from services.gateway.wiring import Gateway, start_gateway
from tests.support.fakes import FakeGenerator, FakeTrainer, serve
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_SECONDS

CHUNK_BYTES = 1000


def selfie(number: int, format_name: str = "JPEG", size: tuple[int, int] = (72, 64)) -> bytes:
    """A different picture for each number."""
    rng = np.random.default_rng(number)
    coarse_HWC = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(coarse_HWC).resize(size, Image.Resampling.BICUBIC).save(out, format_name)
    return out.getvalue()


class Caller:
    """A tenant's client: the raw stub with the tenant's key, and the errors of our tree."""

    def __init__(self, channel: grpc.aio.Channel, key: str | None) -> None:
        self.stub = GatewayStub(channel)
        self.metadata = () if key is None else (("authorization", f"Bearer {key}"),)

    async def __call__(self, method: str, request: Any) -> Any:
        """One unary call."""
        try:
            return await getattr(self.stub, method)(request, metadata=self.metadata, timeout=PATIENCE_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error) from error

    async def stream(self, method: str, request: Any) -> AsyncIterator[Any]:
        """One server-streaming call."""
        call = getattr(self.stub, method)(request, metadata=self.metadata, timeout=PATIENCE_SECONDS)
        try:
            async for response in call:
                yield response
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error) from error
        finally:
            call.cancel()

    async def subject(self, **fields: Any) -> str:
        """A new subject's name."""
        return str((await self("CreateSubject", subjects_pb2.CreateSubjectRequest(**fields))).subject.name)

    async def send(self, messages: Iterable[photos_pb2.UploadPhotosRequest]) -> list[photos_pb2.Photo]:
        """One upload stream of just these messages."""
        try:
            answer = await self.stub.UploadPhotos(iter(messages), metadata=self.metadata, timeout=PATIENCE_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error) from error
        return list(answer.photos)

    async def upload(self, subject: str, *photos: bytes) -> list[photos_pb2.Photo]:
        """One well-formed upload."""
        return await self.send(upload_messages(subject, *photos))

    async def trained_subject(self, **fields: Any) -> str:
        """A subject with six photos and a finished training."""
        subject = await self.subject(**fields)
        await self.upload(subject, *map(selfie, range(6)))
        training = (await self("CreateTraining", trainings_pb2.CreateTrainingRequest(parent=subject))).training
        states = [message.training.state async for message in self.watch_training(training.name)]
        assert states[-1] == jobs_pb2.JOB_STATE_SUCCEEDED
        return subject

    def watch_training(self, name: str) -> AsyncIterator[Any]:
        """WatchTraining."""
        return self.stream("WatchTraining", trainings_pb2.WatchTrainingRequest(name=name))

    async def gallery(self, subject: str, styles: Iterable[str] = ("studio-navy-suit",), **fields: Any) -> str:
        """A new gallery's name."""
        request = galleries_pb2.CreateGalleryRequest(
            parent=subject, styles=[f"styles/{style}" for style in styles], **fields
        )
        return str((await self("CreateGallery", request)).gallery.name)

    async def finished_gallery(self, name: str) -> galleries_pb2.Gallery:
        """The gallery once it has ended."""
        async for _ in self.stream("WatchGallery", galleries_pb2.WatchGalleryRequest(name=name)):
            pass
        gallery = (await self("GetGallery", galleries_pb2.GetGalleryRequest(name=name))).gallery
        assert isinstance(gallery, galleries_pb2.Gallery)
        return gallery


def upload_messages(subject: str, *photos: bytes) -> list[photos_pb2.UploadPhotosRequest]:
    """A header, then each photo in chunks."""
    messages = [photos_pb2.UploadPhotosRequest(header=photos_pb2.UploadPhotosHeader(parent=subject))]
    for number, photo in enumerate(photos):
        start = photos_pb2.PhotoStart(filename=f"{number}.jpg", size_bytes=len(photo))
        messages.append(photos_pb2.UploadPhotosRequest(photo=start))
        messages += [
            photos_pb2.UploadPhotosRequest(chunk=photo[at : at + CHUNK_BYTES])
            for at in range(0, len(photo), CHUNK_BYTES)
        ]
    return messages


class World:
    """What a test holds; `start` and `kill` as often as it likes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = ArtifactStore.open((folder / "objects").as_uri())
        self.database = open_database(f"sqlite:///{folder / 'headshots.db'}")
        migrate(self.database)
        self.keys = {tenant: keys.create_key(self.database, tenant) for tenant in ("acme", "globex")}
        self.trainer = FakeTrainer(self.store)
        self.generator = FakeGenerator(self.store)
        self.analyzer: FaceAnalyzer | None = None
        """Taken by the next `start`."""
        self.gateway: Gateway | None = None
        self._peers: list[RunningServer] = []
        self.trainer_port = 0
        self.generator_port = 0

    async def open(self) -> None:
        """Starts the peers and a gateway."""
        self.trainer_port = await self.start_peer(self.trainer)
        self.generator_port = await self.start_peer(self.generator)
        await self.start()

    async def start_peer(self, servicer: FakeTrainer | FakeGenerator, port: int | None = None) -> int:
        """Starts a peer that lives as long as the test; its port, which is free for it to come back to."""
        server = await serve(servicer, port or free_port())
        self._peers.append(server)
        return server.port

    async def start(self, **changes: Any) -> None:
        """Starts a gateway (another one, after `kill`)."""
        values: dict[str, Any] = {
            "database_url": f"sqlite:///{self.folder / 'headshots.db'}",
            "store_url": (self.folder / "objects").as_uri(),
            "first_key_file": None,
            "styles": default_styles(),
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
        self.gateway = await start_gateway(GatewaySettings(**{**values, **changes}), analyzer=self.analyzer)
        self._channel = grpc.aio.insecure_channel(f"127.0.0.1:{self.gateway.server.port}")
        self.acme = self.caller(self.keys["acme"])

    def caller(self, key: str | None) -> Caller:
        """A client with this key."""
        return Caller(self._channel, key)

    async def kill(self) -> None:
        """The gateway's end without warning: nothing is drained, nothing handed back."""
        assert self.gateway is not None
        gateway, self.gateway = self.gateway, None
        await self._channel.close()
        await gateway.close()
        await gateway.server.stop(0)

    async def terminate(self) -> None:
        """The gateway's end on SIGTERM."""
        assert self.gateway is not None
        await self.gateway.drain()
        await self.kill()

    async def close(self) -> None:
        """Ends everything."""
        if self.gateway is not None:
            await self.kill()
        await asyncio.gather(*(peer.stop() for peer in self._peers))
        self.database.dispose()

    def expire_leases(self) -> None:
        """As if a minute had passed since the last word of whoever holds shots."""
        with self.database.begin() as connection:
            connection.execute(sa.update(schema.shots).values(lease_expires_at=0.0))

    def rows(self, table: sa.Table) -> list[Any]:
        """All rows of a table."""
        with self.database.connect() as connection:
            return list(connection.execute(sa.select(table)))

    async def photo_leftovers(self) -> tuple[list[Any], list[str]]:
        """What uploads have left: rows and objects."""
        return self.rows(schema.photos), await self.store.list("tenants")


@contextlib.asynccontextmanager
async def opened_world(folder: Path) -> AsyncIterator[World]:
    """A world for one test."""
    world = World(folder)
    try:
        await world.open()
        yield world
    finally:
        await world.close()


@contextlib.contextmanager
def refused(cls: type[HeadshotsError], reason: str) -> Any:
    """The block must fail with exactly this class and reason; yields pytest's record of it."""
    with pytest.raises(HeadshotsError) as caught:
        yield caught
    assert (type(caught.value), caught.value.reason) == (cls, reason)
