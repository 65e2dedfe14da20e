"""Reads the gateway's settings from `HEADSHOTS_GATEWAY_<FIELD>`, once, in `__main__`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from headshots.imaging import PhotoLimits
from headshots.imaging.workers.pool import DecoderLimits
from headshots.rpc.internal.settings import InternalSettings
from headshots.rpc.server import ServerSettings
from headshots.schema import MAIN_POOL
from headshots.settings import Home, read_settings
from services.gateway.erasures.log import DEFAULT_KEEP_DAYS
from services.gateway.links.urls import LinksAddress
from services.gateway.painting.worker import PaintSettings
from services.gateway.peers.pools.declared import DeclaredPool, check_default_pool, declared_pools
from services.gateway.photos.limits import MAX_PHOTO_BYTES
from services.gateway.photos.streams import StreamLimits
from services.gateway.setting_checks import check_authority, check_numbers, check_words
from services.gateway.subjects.erasing import ErasingSettings


def default_styles() -> Path:
    """The style library of this checkout."""
    return Path(__file__).resolve().parents[2] / "styles"


@dataclass(frozen=True)
class GatewaySettings:
    """Everything that can be set."""

    database_url: str
    """SQL database; also HEADSHOTS_DATABASE_URL. Default: SQLite in HEADSHOTS_HOME."""
    store_url: str
    """Object store; also HEADSHOTS_STORE_URL. Default: a folder in HEADSHOTS_HOME."""
    first_key_file: Path | None
    """Where the first start leaves a key of the tenant `default`. Default: HEADSHOTS_HOME/api-key where the database
    is the embedded one; with a database by URL no key is made (`headshots keys create` makes one)."""
    styles: Path
    """Folder of the style library. Default: the one of this checkout."""
    receipt_key: Path
    """PEM file of the Ed25519 key that receipts of erasures are signed with, the same for every gateway; read at the
    start. Default: `receipt-key.pem` in HEADSHOTS_HOME, made by the gateway that starts first."""
    internal: InternalSettings
    """How it calls trainers and generators: HEADSHOTS_INTERNAL_<FIELD>."""
    scratch_dir: Path
    """Where photos lie while they are received, in a folder for each process that goes with it; what killed ones left
    is removed at the next start. On a local disk. Default: `scratch/gateway` in HEADSHOTS_HOME."""
    authority_file: Path
    """PEM file of the authorities whose signatures of images VerifyImage trusts, at most 32 KiB. Default: that of this
    installation, in HEADSHOTS_HOME; it is made by the first generator that needs it."""
    trainer_address: str = "127.0.0.1:50052"
    """host:port of the trainers."""
    generator_address: str = "127.0.0.1:50053"
    """host:port of the generators; a list as `ipv4:10.0.0.1:50053,10.0.0.2:50053` where no name has them all."""
    pools: str | None = None
    """Further pools, each for a foundation of its own beside that of the two addresses above, whose pool is `main`:
    NAME=TRAINERS,GENERATORS as in `v2=trainer-v2:50052,generator-v2:50053`, several separated by spaces."""
    default_pool: str = MAIN_POOL
    """The pool that trains whoever names no foundation."""
    host: str = "127.0.0.1"
    """Address to bind."""
    port: int = 50051
    """gRPC port; 0 takes a free one."""
    metrics_port: int = 9101
    """Prometheus port; 0 takes a free one."""
    scaler_port: int | None = None
    """gRPC port on which KEDA asks how much work generators and trainers have; 0 takes a free one. Unset: there is
    none."""
    links_port: int | None = None
    """HTTP port that serves links to images; 0 takes a free one. Unset: the object store signs links, where it can."""
    links_url: str | None = None
    """What clients open in place of http://HOST:LINKS_PORT, as that of a proxy that ends TLS and leaves paths alone."""
    max_message_bytes: int = 4 * 2**20
    """Largest message accepted, in bytes. Photos come in chunks of at most 1 MiB."""
    calls_per_tenant: int = 64
    """Calls of one tenant under way at once, uploads and watches aside; more are refused with TOO_MANY_CALLS."""
    watches_per_tenant: int = 1000
    """Watches and downloads of one tenant open at once; more are refused with WATCH_LIMIT."""
    photo_max_pixels: int = PhotoLimits.max_pixels
    """Width x height that a photo may have."""
    photo_min_side_px: int = PhotoLimits.min_side_px
    """A photo's shorter side, at least."""
    photo_max_side_px: int = PhotoLimits.max_side_px
    """A photo's longer side as stored; larger ones are scaled down."""
    photo_decoders: int = 2
    """Photos decoded at once, each in a process of its own; one takes 60 MB idle, 90 MB once it has
    verified an image, and 370 MB more while it decodes."""
    photo_cpu_seconds: float = 4.5
    """CPU time of decoding one photo, in seconds; one that takes more is refused with PHOTO_TOO_COSTLY."""
    uploads_at_once: int = 4
    """Photo streams received at once; more are refused with UPLOADS_BUSY, to be sent again later."""
    uploads_per_tenant: int = 2
    """Photo streams of one tenant received at once; more are refused with UPLOADS_BUSY."""
    upload_idle_seconds: float = 60.0
    """A photo stream that is silent for so long is ended with UPLOAD_IDLE."""
    upload_bytes_per_second: float = 32768.0
    """The least rate of a photo stream, after twice UPLOAD_IDLE_SECONDS of waiting for it; a slower one is ended with
    UPLOAD_TOO_SLOW. Time in which photos are decoded does not count."""
    upload_seconds: float = 1800.0
    """A photo stream that takes longer in all is ended with UPLOAD_TOO_SLOW."""
    faces: str = "none"
    """Who finds faces in inspected photos and judges shots: `bundled` (drawn portraits only, as of the bundled
    foundation), `people` (real people; `headshots analyzers install people` brings it), `opencv` (real people; files
    in FACES_DIR) or `none` (no reasons about faces; no image is accepted, and no guarantee met). `bundled` and `people`
    need the extra `faces`, `opencv` the extra `opencv`. `headshots serve all` and the demo take `bundled` by themselves
    with the bundled foundation, and `people` with any other."""
    faces_dir: Path | None = None
    """Folder of the analyzer's files; `opencv` needs it, `bundled` has the one of this checkout, `people` the installed
    one in HEADSHOTS_HOME."""
    minors: str = "review"
    """What becomes of photos whose person may be a minor to the analyzer `people`: `review` (inspections tell it beside
    their findings), `refuse` (the photos are not ready to train on, and shoots and trainings are refused) or
    `ignore`. A look, not a proof: who looks under 25 is told."""
    unsafe_images: str = "refuse"
    """What becomes of a painted image that shows nudity to the analyzer `people`: `refuse` (it is painted again, and
    never delivered), `review` (painted again; where nothing better comes it is delivered, and its verdict tells UNSAFE)
    or `ignore` (nobody looks)."""
    shots_in_flight: int = 16
    """Shots that this gateway works on at once, of each foundation."""
    shot_lease_seconds: float = 15.0
    """After so long another gateway claims the shots of a lost one."""
    shot_max_attempts: int = 3
    """Attempts after which a shot fails; those with a generator that is away or full, or whose gateway was lost, do not
    count."""
    shot_silence_seconds: float = 600.0
    """A generator's call that sends no event for so long is ended, and the shot tried again."""
    preview_every: int = 4
    """Denoising steps between two previews, while a watcher wants them."""
    poll_seconds: float = 1.0
    """Between two polls of the database for other gateways' changes; this one's own are seen at once."""
    generator_poll_seconds: float = 2.0
    """Between two looks at which generators there are and what each has, where their address is of several."""
    cancel_patience_seconds: float = 30.0
    """A cancelled training ends after so long even if no trainer confirms it; a trainer is told later."""
    erase_again_seconds: float = 30.0
    """Between two attempts to complete erasures, and two looks for expired subjects; also after an erasure, until a
    last look for objects that a generator was still writing."""
    erasure_log_url: str | None = None
    """Another object store for the log of erasures, which is replayed after a restore; unset: `erasure-log` in
    HEADSHOTS_HOME beside the embedded store, else that of the objects, for where that one is never restored."""
    erasure_log_keep_days: int = DEFAULT_KEEP_DAYS
    """How long entries of the log of erasures are kept, in days. Longer than any backup, or it brings people back."""
    promised_shoot_seconds: float = 1800.0
    """Within which shoots shall be finished, in seconds; metrics tell how many are. Nothing else depends on it."""
    audit_keep_days: int = 400
    """How long events of the audit log are kept, in days; older ones are removed within an hour."""
    backup_horizon_days: int = 0
    """For how long backups may have what was erased, in days, as you run them; receipts of erasures state it, and are
    PENDING_BACKUPS for so long. 0: there are no backups, or none outlives an erasure."""
    event_loop: str = "uvloop"
    """What runs its calls: `uvloop`, where it is installed, or `asyncio`, which takes more CPU time for each."""
    drain_seconds: float = 10.0
    """After SIGTERM, for running shots to finish; those that do not go back to the queue."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> GatewaySettings:
        """Reads the environment.

        Raises:
            InvalidArgumentError: SETTING_INVALID, naming the variable.
        """
        home = Home.from_environment(environ)
        embedded = not (environ.get("HEADSHOTS_DATABASE_URL") or environ.get("HEADSHOTS_GATEWAY_DATABASE_URL"))
        embedded_store = not (environ.get("HEADSHOTS_STORE_URL") or environ.get("HEADSHOTS_GATEWAY_STORE_URL"))
        settings = read_settings(
            cls,
            "HEADSHOTS_GATEWAY_",
            environ,
            database_url=environ.get("HEADSHOTS_DATABASE_URL") or home.database_url,
            store_url=environ.get("HEADSHOTS_STORE_URL") or home.store_url,
            first_key_file=home.api_key_file if embedded else None,
            receipt_key=home.receipt_key_file,
            styles=default_styles(),
            internal=InternalSettings.from_environment(environ),
            scratch_dir=home.scratch("gateway"),
            erasure_log_url=home.erasure_log_url if embedded_store else None,
            authority_file=home.authority_file,
            faces_dir=home.analyzer_of("HEADSHOTS_GATEWAY_FACES", environ),
        )
        check_numbers(settings)
        check_default_pool(settings.default_pool, settings.declared_pools)
        settings.links.check()
        check_authority(settings.authority_file, is_own=settings.authority_file == home.authority_file)
        check_words(settings)
        return settings

    @property
    def server(self) -> ServerSettings:
        """Where the gRPC server listens."""
        return ServerSettings(
            self.host,
            self.port,
            self.metrics_port,
            max_message_bytes=self.max_message_bytes,
            prefix="HEADSHOTS_GATEWAY_",
        )

    @property
    def links(self) -> LinksAddress:
        """Where links are served."""
        return LinksAddress(self.host, self.links_port, self.links_url)

    @property
    def erasing(self) -> ErasingSettings:
        """How subjects are erased."""
        return ErasingSettings(self.erase_again_seconds, self.erasure_log_url, self.erasure_log_keep_days)

    @property
    def declared_pools(self) -> tuple[DeclaredPool, ...]:
        """Where trainers and generators are, that of the two addresses first. Raises SETTING_INVALID."""
        main = DeclaredPool(MAIN_POOL, self.trainer_address, self.generator_address)
        return declared_pools(main, self.pools or "")

    @property
    def photo_limits(self) -> PhotoLimits:
        """What a photo may be."""
        return PhotoLimits(MAX_PHOTO_BYTES, self.photo_max_pixels, self.photo_min_side_px, self.photo_max_side_px)

    @property
    def decoder_limits(self) -> DecoderLimits:
        """What decoding a photo may take."""
        return DecoderLimits(cpu_seconds=self.photo_cpu_seconds)

    @property
    def stream_limits(self) -> StreamLimits:
        """What a stream of photos may be."""
        return StreamLimits(
            photo=self.photo_limits,
            measuring=self.photo_decoders,
            at_once=self.uploads_at_once,
            at_once_per_tenant=self.uploads_per_tenant,
            idle_seconds=self.upload_idle_seconds,
            bytes_per_second=self.upload_bytes_per_second,
            total_seconds=self.upload_seconds,
        )

    def painting(self, owner: str) -> PaintSettings:
        """How shots are painted; `owner` is the name in their leases."""
        return PaintSettings(
            owner=owner,
            in_flight=self.shots_in_flight,
            lease_seconds=self.shot_lease_seconds,
            max_attempts=self.shot_max_attempts,
            poll_seconds=self.poll_seconds,
            silence_seconds=self.shot_silence_seconds,
            preview_every=self.preview_every,
        )
