"""The trainer's settings, read once in ``__main__`` from ``HEADSHOTS_TRAINER_<FIELD>``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from headshots.diffusion.foundations.names import named
from headshots.errors import InvalidArgumentError
from headshots.faces import ANALYZERS
from headshots.leases import LONGEST_SECONDS
from headshots.pods.settings import PodSettings
from headshots.processes.cpus import usable_cpus
from headshots.rpc.internal.port import InternalPort
from headshots.rpc.internal.settings import InternalSettings
from headshots.rpc.server import ServerSettings
from headshots.settings import READ_BY, Home, default_foundation, read_settings
from services.trainer.run.device import Cores, choose_device


@dataclass(frozen=True)
class TrainerSettings:
    """All settings, with their units and defaults."""

    # SQL database; also HEADSHOTS_DATABASE_URL. Default: SQLite in HEADSHOTS_HOME.
    database_url: str
    # Object store; also HEADSHOTS_STORE_URL. Default: a folder in HEADSHOTS_HOME.
    store_url: str
    # Diffusers folder, one safetensors file, or a hub's org/name@revision; also HEADSHOTS_FOUNDATION. Default: the
    # bundled one.
    foundation: Path = field(metadata={READ_BY: named})
    # Where a foundation that cannot be used as it lies is imported to. Default: foundations in HEADSHOTS_HOME.
    foundations_dir: Path
    # LoRA files that are folded into the foundation, FILE or FILE@STRENGTH, with commas between them; also
    # HEADSHOTS_FUSE. The same for trainers and generators, or their foundations differ.
    fuse: str
    # Which kind of few-step LoRA is among them, as lightning-4; also HEADSHOTS_FEW_STEPS. Empty: as their metadata say.
    few_steps: str
    # How its port is closed to all but the gateway: HEADSHOTS_INTERNAL_<FIELD>.
    internal: InternalSettings
    # The pod that it runs in, which Kubernetes is told the work of: HEADSHOTS_POD_<FIELD>.
    pod: PodSettings = field(default_factory=PodSettings)
    # Address to bind, gRPC port and Prometheus port; port 0 takes a free one.
    host: str = "127.0.0.1"
    port: int = 50052
    metrics_port: int = 9102
    # Answers health probes and nothing else, without TLS, for probes that speak none (Kubernetes). Unset: none.
    health_port: int | None = None
    # Trainings at once. Each has a process of its own; on a GPU, one is right.
    workers: int = 1
    # auto, cpu or cuda.
    device: str = "auto"
    # The analyzer that judges checkpoints: bundled (drawn portraits only, as of the bundled foundation), people (real
    # people; `headshots analyzers install people` brings it), opencv (real people; files in FACES_DIR) or none
    # (likeness not measured). `bundled` and `people` need the extra `faces`, `opencv` the extra `opencv`.
    # `headshots serve all` and the demo take `bundled` by themselves with the bundled foundation, and `people` with any
    # other.
    faces: str = "none"
    # Folder of the analyzer's files; opencv needs it, bundled uses the one of this checkout, people the installed one.
    faces_dir: Path | None = None
    # CPUs of a training; 0: the usable CPUs, shared among the workers.
    threads: int = 0
    # Seconds that a lease lives without renewal: the longest time until a lost worker's training continues.
    lease_seconds: float = 20.0
    # Seconds between a training's checkpoints: the most work that a crash costs.
    checkpoint_seconds: float = 15.0
    # Runs that may be lost (crash, kill, out of memory) before a training fails.
    max_attempts: int = 3
    # Pause after a lost run in seconds; doubles with each.
    retry_seconds: float = 2.0
    # Seconds without a message from a training's process before it counts as stuck and is killed; that run is lost.
    stall_seconds: float = 1800.0
    # Seconds between reads of the queue and of watched jobs; changes by this process are seen at once.
    poll_seconds: float = 1.0
    # Seconds after SIGTERM in which running trainings can write their checkpoint.
    drain_seconds: float = 7.0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> TrainerSettings:
        """Read the environment.

        Raises:
            InvalidArgumentError: SETTING_INVALID, INTERNAL_PORT_OPEN, naming the variable.
        """
        home = Home.from_environment(environ)
        settings = read_settings(
            cls,
            "HEADSHOTS_TRAINER_",
            environ,
            database_url=environ.get("HEADSHOTS_DATABASE_URL") or home.database_url,
            store_url=environ.get("HEADSHOTS_STORE_URL") or home.store_url,
            foundation=named(environ.get("HEADSHOTS_FOUNDATION") or str(default_foundation())),
            foundations_dir=home.foundations,
            fuse=environ.get("HEADSHOTS_FUSE", ""),
            few_steps=environ.get("HEADSHOTS_FEW_STEPS", ""),
            internal=InternalSettings.from_environment(environ),
            pod=PodSettings.from_environment(environ),
            faces_dir=home.analyzer_of("HEADSHOTS_TRAINER_FACES", environ),
        )
        if settings.store_url.startswith("memory:"):
            raise InvalidArgumentError(
                "SETTING_INVALID", "HEADSHOTS_STORE_URL: a training is a process of its own and cannot see memory:///"
            )
        settings.internal_port.check_host(settings.host, "HEADSHOTS_TRAINER_HOST")
        choose_device(settings.device)
        if settings.faces not in ANALYZERS:
            raise InvalidArgumentError(
                "SETTING_INVALID", f"HEADSHOTS_TRAINER_FACES={settings.faces!r} is none of {', '.join(ANALYZERS)}"
            )
        if settings.workers < 1 or settings.max_attempts < 1:
            raise InvalidArgumentError("SETTING_INVALID", "HEADSHOTS_TRAINER_WORKERS and _MAX_ATTEMPTS start at 1")
        if not 0 < settings.lease_seconds <= LONGEST_SECONDS / 2:
            raise InvalidArgumentError(
                "SETTING_INVALID", f"HEADSHOTS_TRAINER_LEASE_SECONDS is above 0, and at most {LONGEST_SECONDS / 2:.0f}"
            )
        return settings

    @property
    def server(self) -> ServerSettings:
        """Where the gRPC server listens."""
        return ServerSettings(self.host, self.port, self.metrics_port, self.health_port, prefix="HEADSHOTS_TRAINER_")

    @property
    def internal_port(self) -> InternalPort:
        """How the gRPC server's port is closed."""
        return InternalPort("trainer", self.internal)

    @property
    def cores(self) -> Cores:
        """The processes and threads of one training."""
        count = self.threads or max(1, usable_cpus() // self.workers)
        return Cores.shared_out(self.foundation, count, choose_device(self.device))
