"""Reads the generator's settings, once in ``__main__``, from ``HEADSHOTS_GENERATOR_<FIELD>``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from headshots.diffusion.backends import OnnxRuntimeOptions
from headshots.diffusion.export.options import DEFAULT_BUILD_MEMORY_GB, ExportOptions, parse_sizes
from headshots.diffusion.foundations.names import named
from headshots.diffusion.tensorrt.rtx.targets import parse_targets
from headshots.errors import InvalidArgumentError
from headshots.event_loop import EVENT_LOOPS
from headshots.faces import ANALYZERS
from headshots.marking.settings import MarkingSettings
from headshots.pods.settings import PodSettings
from headshots.rpc.internal.port import InternalPort
from headshots.rpc.internal.settings import InternalSettings
from headshots.rpc.server import ServerSettings
from headshots.settings import READ_BY, Home, default_foundation, read_settings
from services.generator.engine import EngineLimits
from services.generator.servicer import MAX_MESSAGE_BYTES


@dataclass(frozen=True)
class GeneratorSettings:
    """Everything that can be set."""

    # Object store; also HEADSHOTS_STORE_URL. Default: a folder in HEADSHOTS_HOME.
    store_url: str
    # Diffusers folder, one safetensors file or a hub's org/name@revision, to export where `package` is not set; also
    # HEADSHOTS_FOUNDATION. Default: the bundled one.
    foundation: Path = field(metadata={READ_BY: named})
    # Where a foundation that cannot be used as it lies is imported to. Default: foundations in HEADSHOTS_HOME.
    foundations_dir: Path
    # Where exported packages are kept. Default: `engines` in HEADSHOTS_HOME.
    engines_dir: Path
    # Local disk tier of adapters, this replica's own. Default: `adapters` in HEADSHOTS_HOME.
    adapters_dir: Path
    # LoRA files that are folded into the foundation, FILE or FILE@STRENGTH, with commas between them; also
    # HEADSHOTS_FUSE. The same for trainers and generators, or their foundations differ.
    fuse: str
    # Which kind of few-step LoRA is among them, as lightning-4; also HEADSHOTS_FEW_STEPS. Empty: as their metadata say.
    few_steps: str
    # How its port is closed to all but the gateway: HEADSHOTS_INTERNAL_<FIELD>.
    internal: InternalSettings
    # What images say of themselves: HEADSHOTS_MARKING_<FIELD>.
    marking: MarkingSettings
    # The pod that it runs in, which Kubernetes is told the work of: HEADSHOTS_POD_<FIELD>.
    pod: PodSettings = field(default_factory=PodSettings)
    # Engine package to serve; unset, the foundation is exported first (once, by a child process).
    package: Path | None = None
    # Address to bind, gRPC port and Prometheus port; port 0 takes a free one.
    host: str = "127.0.0.1"
    port: int = 50053
    metrics_port: int = 9103
    # Answers health probes and nothing else, without TLS, for probes that speak none (Kubernetes). Unset: none.
    health_port: int | None = None
    # onnxruntime runs the package's graphs; torch the foundation's own networks, and needs the extra generator-torch.
    backend: str = "onnxruntime"
    # cpu, cuda or, with onnxruntime, tensorrt (builds engines at its first start) or tensorrt-rtx (runs those of the
    # package). What cannot be had stops the start; nothing falls back in silence.
    provider: str = "cpu"
    # For torch: fp32, fp16 or bf16 (unset: fp32 on a CPU, bf16 on a GPU), and eager, compile or graphs (CUDA graphs).
    torch_precision: str | None = None
    torch_mode: str = "eager"
    # CPU threads of a network; 0: one a core.
    threads: int = 0
    # GPU number.
    device: int = 0
    # Rows of a UNet call at most; 0: what the package was made for. An image with guidance takes two.
    max_rows: int = 0
    # Requests that may wait before RESOURCE_EXHAUSTED.
    max_waiting: int = 256
    # Bytes of adapter files on local disk, and of packed rows in memory.
    adapter_disk_bytes: int = 4 * 2**30
    adapter_host_bytes: int = 2**30
    # The analyzer of faces that images are cut to a look's frame by: bundled, people, opencv or none (such images are
    # refused). The gateway's, which judges them; `headshots serve all` and the demo choose it by themselves. `bundled`
    # and `people` need no further extra here, `opencv` needs `opencv`.
    faces: str = "none"
    # Folder of the analyzer's files; opencv needs it, bundled uses the one of this checkout, people the installed one.
    faces_dir: Path | None = None
    # Seconds between two readings of which adapters were erased; at most so long copies of one that was frozen stay.
    read_erasures_seconds: float = 30.0
    # What runs its calls: uvloop, where it is installed, or asyncio, which takes more CPU time for each.
    event_loop: str = "uvloop"
    # Seconds after SIGTERM that accepted requests get to finish.
    drain_seconds: float = 30.0
    # For the export: largest LoRA rank (0: the foundation's recipe's), slots, rows, fp32 or fp16.
    export_max_rank: int = 0
    export_slots: int = 16
    export_max_rows: int = 16
    export_precision: str = "fp32"
    # Sizes that the package is for, 512x512,512x768; unset: the native one, and on the CPU and CUDA any near it.
    export_sizes: str | None = None
    # GPUs to build engines of TensorRT for RTX for, sm89,sm120; unset: none. Needs the extra tensorrt-rtx, no GPU.
    export_tensorrt_rtx: str | None = None
    # Gigabytes that the process which builds them may take.
    export_build_memory_gb: float = DEFAULT_BUILD_MEMORY_GB

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> GeneratorSettings:
        """Read the environment.

        Raises:
            InvalidArgumentError: SETTING_INVALID, SETTING_MISSING, INTERNAL_PORT_OPEN, naming the variable.
        """
        home = Home.from_environment(environ)
        settings = read_settings(
            cls,
            "HEADSHOTS_GENERATOR_",
            environ,
            store_url=environ.get("HEADSHOTS_STORE_URL") or home.store_url,
            foundation=named(environ.get("HEADSHOTS_FOUNDATION") or str(default_foundation())),
            foundations_dir=home.foundations,
            fuse=environ.get("HEADSHOTS_FUSE", ""),
            few_steps=environ.get("HEADSHOTS_FEW_STEPS", ""),
            engines_dir=home.engines,
            adapters_dir=home.path / "adapters",
            internal=InternalSettings.from_environment(environ),
            marking=MarkingSettings.from_environment(environ),
            pod=PodSettings.from_environment(environ),
            faces_dir=home.analyzer_of("HEADSHOTS_GENERATOR_FACES", environ),
        )
        for name, value, choices in (
            ("FACES", settings.faces, ANALYZERS),
            ("EVENT_LOOP", settings.event_loop, EVENT_LOOPS),
        ):
            if value not in choices:
                raise InvalidArgumentError(
                    "SETTING_INVALID", f"HEADSHOTS_GENERATOR_{name}={value!r} is none of {', '.join(choices)}"
                )
        if settings.read_erasures_seconds <= 0:
            raise InvalidArgumentError("SETTING_INVALID", "HEADSHOTS_GENERATOR_READ_ERASURES_SECONDS must be above 0")
        settings.internal_port.check_host(settings.host, "HEADSHOTS_GENERATOR_HOST")
        return settings

    @property
    def server(self) -> ServerSettings:
        """Where the gRPC server listens."""
        return ServerSettings(
            self.host,
            self.port,
            self.metrics_port,
            self.health_port,
            MAX_MESSAGE_BYTES,
            prefix="HEADSHOTS_GENERATOR_",
        )

    @property
    def internal_port(self) -> InternalPort:
        """How the gRPC server's port is closed."""
        return InternalPort("generator", self.internal)

    @property
    def runtime(self) -> OnnxRuntimeOptions:
        """How the graphs run."""
        return OnnxRuntimeOptions(self.provider, self.threads, self.device, self.engines_dir / "tensorrt")

    @property
    def export(self) -> ExportOptions:
        """What an export is made for."""
        return ExportOptions(
            self.export_max_rank,
            self.export_slots,
            self.export_max_rows,
            self.export_precision,
            parse_sizes(self.export_sizes or ""),
            parse_targets(self.export_tensorrt_rtx or ""),
            self.export_build_memory_gb,
        )

    @property
    def limits(self) -> EngineLimits:
        """How much at once."""
        return EngineLimits(self.max_rows, self.max_waiting)
