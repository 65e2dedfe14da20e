"""Builds the gateway's parts, connects them and starts them; nothing else does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import grpc.aio
from prometheus_client import CollectorRegistry
from sqlalchemy.engine import Engine

from headshots import keys
from headshots.artifacts import ArtifactStore
from headshots.database import migrate, open_database
from headshots.faces import FaceAnalyzer, open_analyzer
from headshots.imaging.workers.pool import DecoderPool
from headshots.receipts.signing import ReceiptKey
from headshots.rpc.internal.expiry import export_expiry
from headshots.rpc.internal.secret import Secret
from headshots.rpc.server import RunningServer, start_server
from headshots.styles.library import StyleLibrary
from headshots.styles.packs import PackLibrary
from headshots.threads import in_thread
from services.gateway.audit.log import AuditLog
from services.gateway.audit.servicer import AuditEventServicer
from services.gateway.erasures.issuing import Issuer
from services.gateway.erasures.servicer import ErasureServicer
from services.gateway.events.hub import Hub
from services.gateway.events.poller import WatchPoller
from services.gateway.events.reads import SharedReads
from services.gateway.foundations.servicer import FoundationServicer
from services.gateway.galleries import rows as gallery_rows
from services.gateway.galleries.engine import GalleryEngine
from services.gateway.galleries.servicer import GalleryServicer
from services.gateway.links.opening import Links, open_links
from services.gateway.looks.engine import LookEngine
from services.gateway.looks.servicer import LookServicer
from services.gateway.metrics import GatewayMetrics
from services.gateway.packs.engine import PackEngine
from services.gateway.packs.servicer import PackServicer
from services.gateway.painting.judge import ShotJudge
from services.gateway.painting.pool import ShotPool
from services.gateway.painting.worker import ShotWorker
from services.gateway.peers.pools.opening import OpenedPools, open_pools
from services.gateway.peers.pools.pools import Pools
from services.gateway.photos.engine import PhotoEngine
from services.gateway.photos.inspector import Inspector
from services.gateway.photos.servicer import PhotoServicer
from services.gateway.photos.streams import StreamLimiter
from services.gateway.profiles.engine import ProfileEngine
from services.gateway.profiles.servicer import ProfileServicer
from services.gateway.remixes.masker import Masker
from services.gateway.retention.waiting import WorkClock
from services.gateway.running import Gateway, Looping, Servicer
from services.gateway.scaling.rpc import ScalerPort, open_scaler_port
from services.gateway.settings import GatewaySettings
from services.gateway.shoots import rows as shoot_rows
from services.gateway.shoots.engine import Catalogue, ShootEngine
from services.gateway.shoots.runner import ShootRunner
from services.gateway.shoots.servicer import ShootServicer
from services.gateway.styles.checks import StyleChecks
from services.gateway.styles.engine import StyleEngine
from services.gateway.styles.servicer import StyleServicer
from services.gateway.subjects.engine import SubjectEngine
from services.gateway.subjects.erasing import Erasing
from services.gateway.subjects.servicer import SubjectServicer
from services.gateway.teams import rows as team_rows
from services.gateway.teams.engine import TeamEngine
from services.gateway.teams.runner import TeamRunner
from services.gateway.teams.servicer import TeamServicer
from services.gateway.tenants.limits import TenantLimiter
from services.gateway.tenants.servicer import TenantServicer
from services.gateway.trainings import rows as training_rows
from services.gateway.trainings.engine import TrainingEngine
from services.gateway.trainings.reconciler import Reconciler
from services.gateway.trainings.servicer import TrainingServicer
from services.gateway.verification.engine import VerificationEngine
from services.gateway.verification.servicer import ImageServicer

_ROWS = {"training": training_rows, "gallery": gallery_rows, "shoot": shoot_rows, "team": team_rows}
_REVISIONS = {kind: rows.revisions for kind, rows in _ROWS.items()}


@dataclass(frozen=True)
class _Given:
    """What the parts are built on."""

    database: Engine
    store: ArtifactStore
    styles: StyleLibrary
    opened: OpenedPools
    metrics: GatewayMetrics
    analyzer: FaceAnalyzer | None
    decoders: DecoderPool
    links: Links
    audit: AuditLog
    issuer: Issuer


class _Parts:
    """The servicers and the parts with a loop of their own."""

    def __init__(self, settings: GatewaySettings, given: _Given) -> None:
        database, store, styles, metrics = given.database, given.store, given.styles, given.metrics
        analyzer, decoders, limiter = given.analyzer, given.decoders, StreamLimiter(settings.stream_limits)
        pools, hub, clock = given.opened.pools, Hub(), WorkClock(database)
        poll, patience = settings.poll_seconds, {"cancel_patience_seconds": settings.cancel_patience_seconds}
        painting = settings.painting(owner=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}")
        looking = store, limiter, decoders, analyzer
        judge = ShotJudge(database, *looking, settings.unsafe_images, check_seconds=settings.erase_again_seconds)
        worker = ShotWorker(database, pools, judge, Masker(*looking), hub, metrics, painting)
        pool = self.pool = ShotPool(database, worker, hub, metrics, painting, clock, pools.openness)
        reconciler = Reconciler(database, pools.trainer, hub, clock, poll_seconds=poll, **patience)
        runner = ShootRunner(database, hub, metrics, pool, clock, poll_seconds=poll)
        parts = pools, pool, metrics, given.issuer, settings.erasing
        erasing = self.erasing = Erasing(database, store, *parts, owner=painting.owner, forget=judge.forget)
        given.opened.watcher.on_return = pool.retry_now
        inspector = Inspector(database, store, limiter, decoders, pools, analyzer, settings.minors)
        checks, packs = StyleChecks(pools), PackLibrary.load(settings.styles, styles)
        watching = hub, metrics, SharedReads()
        watched, judges = (*watching, given.audit, shoot_rows.needs_gallery), analyzer is not None
        galleries = GalleryEngine(database, store, styles, checks, Masker(*looking), pool, *watched, judges=judges)
        offered, shooting = Catalogue(styles, packs), (inspector, runner, reconciler, pool, *watching)
        shoots = ShootEngine(database, offered, checks, pools, *shooting, judges=judges)
        team_runner = TeamRunner(database, hub, shoots, galleries, poll_seconds=poll)
        loops = given.opened.watcher, reconciler, pool, runner, judge, given.audit, *erasing.loops, team_runner
        self.with_loops: Sequence[Looping] = (*loops, WatchPoller(database, hub, _REVISIONS, poll_seconds=poll))
        self._servicers: Sequence[Servicer] = (
            TenantServicer(database),
            SubjectServicer(SubjectEngine(database, erasing.eraser, pool)),
            PhotoServicer(PhotoEngine(database, store, limiter, decoders, inspector, metrics, shoot_rows.needs_photo)),
            TrainingServicer(TrainingEngine(database, store, reconciler, pools, inspector, *watching, given.audit)),
            GalleryServicer(galleries, given.links.servicer),
            ShootServicer(shoots),
            TeamServicer(TeamEngine(database, styles, shoots, team_runner, *watching)),
            *_of_orders(database, styles, packs, checks),
            LookServicer(LookEngine(database, styles, pools)),
            FoundationServicer(pools),
            AuditEventServicer(database, given.audit),
            ErasureServicer(database),
            ImageServicer(VerificationEngine(database, limiter, decoders, given.audit, settings.authority_file)),
        )

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds every public service to a server; their full names."""
        return [name for servicer in self._servicers for name in servicer.register(server)]


def _of_orders(database: Engine, styles: StyleLibrary, packs: PackLibrary, checks: StyleChecks) -> Sequence[Servicer]:
    """Of what orders are made of."""
    return (
        StyleServicer(StyleEngine(database, styles, checks)),
        ProfileServicer(ProfileEngine(database)),
        PackServicer(PackEngine(database, styles, packs)),
    )


async def start_gateway(
    settings: GatewaySettings, *, analyzer: FaceAnalyzer | None = None, decoders: DecoderPool | None = None
) -> Gateway:
    """Migrates, makes the first key, starts the loops and the server.

    An `analyzer` given replaces the settings'; so do `decoders`, which stay the caller's to close.

    Raises:
        HeadshotsError: what stands in the way, as DATABASE_UNAVAILABLE, STYLE_INVALID, ADDRESS_IN_USE.
    """
    analyzer = analyzer or await in_thread(open_analyzer, settings.faces, settings.faces_dir)
    styles, store = StyleLibrary.load(settings.styles), ArtifactStore.open(settings.store_url)
    issuer = Issuer(ReceiptKey.open(settings.receipt_key), backup_horizon_days=settings.backup_horizon_days)
    database, registry = open_database(settings.database_url), CollectorRegistry()
    known_keys, metrics = keys.KnownKeys(database), _metrics(settings, database, registry)
    opened = _open_pools(settings, database, metrics, registry)
    await in_thread(_prepare, database, settings, issuer)
    async with contextlib.AsyncExitStack() as on_failure:
        for channel in opened.channels:
            on_failure.push_async_callback(channel.close)
        on_failure.callback(database.dispose)
        await opened.watcher.recall()
        own = None
        if decoders is None:
            limits = settings.decoder_limits
            decoders = own = DecoderPool(settings.photo_decoders, limits, on_stopped=metrics.decode_stopped)
            on_failure.callback(own.close)
        audit = AuditLog(database, poll_seconds=settings.poll_seconds, keep_days=settings.audit_keep_days)
        links, scaler = await _open_ports(database, store, settings, audit, opened.pools, on_failure)
        given = _Given(database, store, styles, opened, metrics, analyzer, decoders, links, audit, issuer)
        parts = _Parts(settings, given)
        await parts.erasing.begin()
        server = await _serve(parts, known_keys, settings, registry)
        on_failure.pop_all()
    loops = [asyncio.create_task(part.run()) for part in (known_keys, *parts.with_loops)]
    return Gateway(
        server, database, opened.channels, parts.pool, loops, own, links, audit, scaler, settings.drain_seconds
    )


def _metrics(settings: GatewaySettings, database: Engine, registry: CollectorRegistry) -> GatewayMetrics:
    promised, pools = settings.promised_shoot_seconds, [pool.name for pool in settings.declared_pools]
    return GatewayMetrics(registry, database, promised_shoot_seconds=promised, pools=pools)


def _open_pools(
    settings: GatewaySettings, database: Engine, metrics: GatewayMetrics, registry: CollectorRegistry
) -> OpenedPools:
    declared = settings.declared_pools, settings.default_pool, settings.internal
    opened = open_pools(*declared, database, metrics.pools, poll_seconds=settings.generator_poll_seconds)
    if (certificates := opened.channels[0].certificates) is not None:
        export_expiry(registry, certificates)
    return opened


async def _open_ports(
    database: Engine,
    store: ArtifactStore,
    settings: GatewaySettings,
    audit: AuditLog,
    pools: Pools,
    on_failure: contextlib.AsyncExitStack,
) -> tuple[Links, ScalerPort]:
    """Those beside the public one."""
    links = await open_links(database, store, Secret(settings.internal.key_file), settings.links, audit)
    on_failure.push_async_callback(links.stop)
    on_failure.push_async_callback((scaler := await open_scaler_port(database, settings, pools.each)).stop)
    return links, scaler


def _prepare(database: Engine, settings: GatewaySettings, issuer: Issuer) -> None:
    migrate(database)
    if settings.first_key_file is not None:
        keys.ensure_default_key(database, settings.first_key_file)
    issuer.publish_key(database)


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
