"""Builds the gateway's parts, connects them and starts them; nothing else does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import grpc.aio
from prometheus_client import CollectorRegistry
from sqlalchemy.engine import Engine

from headshots import keys
from headshots.artifacts import ArtifactStore
from headshots.database import migrate, open_database
from headshots.faces import FaceAnalyzer, open_analyzer
from headshots.imaging.workers.pool import DecoderLimits, DecoderPool
from headshots.rpc.internal.channel import InternalChannel
from headshots.rpc.internal.secret import Secret
from headshots.rpc.internal.signing import Signer
from headshots.rpc.server import RunningServer, start_server
from headshots.styles.library import StyleLibrary
from headshots.styles.packs import PackLibrary
from headshots.threads import in_thread
from services.gateway.events.hub import Hub
from services.gateway.events.poller import WatchPoller
from services.gateway.events.reads import SharedReads
from services.gateway.foundations.servicer import FoundationServicer
from services.gateway.galleries import rows as gallery_rows
from services.gateway.galleries.engine import GalleryEngine
from services.gateway.galleries.servicer import GalleryServicer
from services.gateway.metrics import GatewayMetrics
from services.gateway.packs.servicer import PackServicer
from services.gateway.painting.likeness import LikenessJudge
from services.gateway.painting.pool import ShotPool
from services.gateway.painting.worker import ShotWorker
from services.gateway.peers.describer import Describer
from services.gateway.peers.rpc import RpcGenerator, RpcTrainer, open_peer
from services.gateway.photos.engine import PhotoEngine
from services.gateway.photos.inspector import Inspector
from services.gateway.photos.servicer import PhotoServicer
from services.gateway.photos.streams import StreamLimiter
from services.gateway.settings import GatewaySettings
from services.gateway.styles.checks import StyleChecks
from services.gateway.styles.engine import StyleEngine
from services.gateway.styles.servicer import StyleServicer
from services.gateway.subjects.engine import SubjectEngine
from services.gateway.subjects.eraser import Eraser
from services.gateway.subjects.servicer import SubjectServicer
from services.gateway.tenants.limits import TenantLimiter
from services.gateway.tenants.servicer import TenantServicer
from services.gateway.trainings import rows as training_rows
from services.gateway.trainings.engine import TrainingEngine
from services.gateway.trainings.reconciler import Reconciler
from services.gateway.trainings.servicer import TrainingServicer


class Gateway:
    """A running gateway."""

    def __init__(
        self,
        server: RunningServer,
        database: Engine,
        channels: list[InternalChannel],
        pool: ShotPool,
        loops: list[asyncio.Task[None]],
        decoders: DecoderPool | None,
        drain_seconds: float,
    ) -> None:
        self.server = server
        self._database = database
        self._channels = channels
        self._pool = pool
        self._loops = loops
        self._decoders = decoders
        self._drain_seconds = drain_seconds

    async def drain(self) -> None:
        """Claims no more shots, waits for those in flight, and puts back those that do not finish in time."""
        await self._pool.drain(self._drain_seconds)

    async def close(self) -> None:
        """Ends the loops after the server. Without `drain` before, running shots are lost as in a crash."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        for channel in self._channels:
            await channel.close()
        if self._decoders is not None:
            await in_thread(self._decoders.close)
        self._database.dispose()


class _Servicer(Protocol):
    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds the service to a server; full names of what was added."""
        ...


class _Looping(Protocol):
    async def run(self) -> None:
        """Works until it is cancelled."""
        ...


@dataclass(frozen=True)
class _Parts:
    """The servicers and the parts with a loop of their own."""

    servicers: Sequence[_Servicer]
    reconciler: Reconciler
    pool: ShotPool
    eraser: Eraser
    poller: WatchPoller

    @property
    def with_loops(self) -> Sequence[_Looping]:
        """The parts that work by themselves."""
        return self.reconciler, self.pool, self.eraser, self.poller

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds every public service to a server; their full names."""
        return [name for servicer in self.servicers for name in servicer.register(server)]


async def start_gateway(
    settings: GatewaySettings, *, analyzer: FaceAnalyzer | None = None, decoders: DecoderPool | None = None
) -> Gateway:
    """Migrates, makes the first key, starts the loops and the server.

    An `analyzer` given replaces the settings'; so do `decoders`, which stay the caller's to close.

    Raises:
        HeadshotsError: DATABASE_UNAVAILABLE, STYLE_INVALID, STYLES_MISSING, PACK_INVALID, ANALYZER_UNUSABLE,
            ADDRESS_IN_USE, INTERNAL_KEY_INVALID, CERTIFICATE_INVALID and the like.
    """
    analyzer = analyzer or await in_thread(open_analyzer, settings.faces, settings.faces_dir)
    styles = StyleLibrary.load(settings.styles)
    store = ArtifactStore.open(settings.store_url)
    channels = [open_peer(address, settings.internal) for address in settings.peer_addresses]
    database = open_database(settings.database_url)
    await in_thread(migrate, database)
    if settings.first_key_file is not None:
        await in_thread(keys.ensure_default_key, database, settings.first_key_file)
    registry = CollectorRegistry()
    async with contextlib.AsyncExitStack() as on_failure:
        for channel in channels:
            on_failure.push_async_callback(channel.close)
        on_failure.callback(database.dispose)
        metrics = GatewayMetrics(registry, database)
        own = None
        if decoders is None:
            decoders = own = _open_decoders(settings, metrics)
            on_failure.callback(own.close)
        parts = _build(settings, database, store, styles, channels, metrics, analyzer, decoders)
        await parts.eraser.sweep()
        known_keys = keys.KnownKeys(database)
        server = await _serve(parts, known_keys, settings, registry)
        on_failure.pop_all()
    loops = [asyncio.create_task(part.run()) for part in (known_keys, *parts.with_loops)]
    return Gateway(server, database, channels, parts.pool, loops, own, settings.drain_seconds)


async def _serve(
    parts: _Parts, known_keys: keys.KnownKeys, settings: GatewaySettings, registry: CollectorRegistry
) -> RunningServer:
    limiter = TenantLimiter(calls=settings.calls_per_tenant, watches=settings.watches_per_tenant)
    return await start_server(
        parts.register,
        settings.server,
        registry=registry,
        authenticate=known_keys.authenticate,
        within=(keys.RevocationInterceptor(known_keys.open_call), limiter),
    )


def _open_decoders(settings: GatewaySettings, metrics: GatewayMetrics) -> DecoderPool:
    """The processes that decode photos; every photo that had to be stopped is counted."""
    return DecoderPool(
        settings.photo_decoders,
        DecoderLimits(cpu_seconds=settings.photo_cpu_seconds),
        on_stopped=lambda cause: metrics.stopped_decodes.labels(cause).inc(),
    )


def _build(
    settings: GatewaySettings,
    database: Engine,
    store: ArtifactStore,
    styles: StyleLibrary,
    channels: list[InternalChannel],
    metrics: GatewayMetrics,
    analyzer: FaceAnalyzer | None,
    decoders: DecoderPool,
) -> _Parts:
    """Builds every part; `channels` are the trainer's and the generator's."""
    signer = Signer(Secret(settings.internal.key_file))
    trainer, generator = RpcTrainer(channels[0], signer), RpcGenerator(channels[1], signer)
    hub, describer, limiter = Hub(), Describer(generator), StreamLimiter(settings.stream_limits)
    reads, kinds = SharedReads(), {"training": training_rows.revisions, "gallery": gallery_rows.revisions}
    painting = settings.painting(owner=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}")
    likeness = LikenessJudge(database, store, limiter, decoders, analyzer)
    worker = ShotWorker(database, generator, describer, likeness, hub, metrics, painting)
    pool = ShotPool(database, worker, hub, metrics, painting)
    poll, patience = settings.poll_seconds, settings.cancel_patience_seconds
    reconciler = Reconciler(database, trainer, hub, poll_seconds=poll, cancel_patience_seconds=patience)
    eraser = Eraser(database, store, generator, sweep_seconds=settings.erase_again_seconds)
    checks = StyleChecks(describer, generator)
    inspector = Inspector(database, store, limiter, decoders, describer, analyzer)
    servicers: tuple[_Servicer, ...] = (
        TenantServicer(database),
        SubjectServicer(SubjectEngine(database, eraser)),
        PhotoServicer(PhotoEngine(database, store, limiter, decoders, inspector, metrics, training_rows.learns_from)),
        TrainingServicer(TrainingEngine(database, store, reconciler, describer, hub, metrics, reads)),
        GalleryServicer(GalleryEngine(database, store, styles, checks, pool, hub, metrics, reads)),
        StyleServicer(StyleEngine(database, styles, checks)),
        PackServicer(PackLibrary.load(settings.styles, styles)),
        FoundationServicer(describer),
    )
    poller = WatchPoller(database, hub, kinds, poll_seconds=poll)
    return _Parts(servicers, reconciler, pool, eraser, poller)
