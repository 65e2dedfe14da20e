"""Wires the generator and runs it: ``python -m services.generator``."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import sys
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry

from headshots.artifacts import ArtifactStore
from headshots.diffusion.backends import NEED_PROFILES, TENSORRT_RTX, Backend, open_package
from headshots.diffusion.export.ensure import ensure_package_in_child
from headshots.diffusion.importing.ensure import usable_foundation
from headshots.diffusion.importing.fusing.request import read_fusion, separated
from headshots.diffusion.package import EnginePackage
from headshots.errors import HeadshotsError, InvalidArgumentError
from headshots.event_loop import run
from headshots.faces import FaceAnalyzer, open_analyzer
from headshots.marking.credentials import ends_at
from headshots.marking.manifest import Signer
from headshots.pods import deletion_cost
from headshots.processes.cores import leave_no_core
from headshots.processes.imports import importing
from headshots.rpc.server import run_until_signal, start_server
from headshots.telemetry.starting import telemetry
from services.generator.adapters.erased import ErasedAdapters
from services.generator.adapters.tiers import AdapterCache
from services.generator.engine import Engine
from services.generator.images.marking import Marker
from services.generator.metrics import Metrics
from services.generator.servicer import register
from services.generator.settings import GeneratorSettings

# As it is run, its `__name__` says `__main__`.
log = logging.getLogger("services.generator")


def with_foundation(settings: GeneratorSettings) -> GeneratorSettings:
    """The settings with a foundation's folder that can be used, where a foundation is: it may have to be imported."""
    if settings.package is not None and settings.backend != "torch":
        return settings
    foundation = usable_foundation(
        settings.foundation,
        settings.foundations_dir,
        os.environ,
        lambda what, share: log.info("import of the foundation: %s (%.0f%%)", what, share * 100),
        log.info,
        read_fusion(separated(settings.fuse), settings.few_steps),
    )
    return dataclasses.replace(settings, foundation=foundation)


def find_package(settings: GeneratorSettings) -> Path:
    """The package to serve, exported first where none is named."""
    if settings.package is not None:
        return settings.package
    return ensure_package_in_child(
        settings.foundation,
        settings.engines_dir,
        settings.export,
        lambda stage, share: log.info("export: %s (%.0f%%)", stage, share * 100),
    )


def build(
    settings: GeneratorSettings,
    folder: Path,
    metrics: Metrics,
    signer: Signer | None,
    analyzer: FaceAnalyzer | None = None,
) -> tuple[Engine, ErasedAdapters]:
    """Put the engine together, and what has it forget erased adapters."""
    package = EnginePackage.read(folder)
    if package.tensorrt_rtx is not None and settings.provider != TENSORRT_RTX:
        log.warning(
            "the engines for %s stay unused: HEADSHOTS_GENERATOR_PROVIDER is %s, and %s runs them",
            ", ".join(package.tensorrt_rtx.targets),
            settings.provider,
            TENSORRT_RTX,
        )
    if settings.backend == "onnxruntime" and settings.provider in NEED_PROFILES:
        # Another size than its engines were built for would make it build again, for minutes, while others wait, or
        # not run at all.
        package = package.within_profiles()
    store = ArtifactStore.open(settings.store_url)
    adapters = AdapterCache(
        store,
        settings.adapters_dir,
        package.layout,
        package.foundation_digest,
        metrics,
        disk_bytes=settings.adapter_disk_bytes,
        host_bytes=settings.adapter_host_bytes,
    )
    marker = Marker(settings.marking, signer, package.foundation, package.foundation_digest)
    backend = build_backend(settings, package)
    engine = Engine(package, backend, adapters, store, metrics, settings.limits, marker, analyzer)
    return engine, ErasedAdapters(store, adapters, engine.evict, seconds=settings.read_erasures_seconds)


def build_backend(settings: GeneratorSettings, package: EnginePackage) -> Backend:
    """What runs the networks.

    Raises:
        InvalidArgumentError: SETTING_INVALID, BACKEND_UNAVAILABLE; and what the backend itself raises.
    """
    if settings.backend == "onnxruntime":
        return open_package(package, settings.runtime)
    if settings.backend != "torch":
        raise InvalidArgumentError("SETTING_INVALID", f"backend {settings.backend!r}; use onnxruntime or torch")
    try:
        # Here and nowhere else: the generator runs without torch.
        with importing():
            from headshots.diffusion.backends.torch import TorchBackend, TorchOptions
    except ImportError as error:
        raise InvalidArgumentError(
            "BACKEND_UNAVAILABLE",
            f"the torch backend was asked for and cannot be imported ({error}); "
            "install headshots[generator-torch] or set HEADSHOTS_GENERATOR_BACKEND=onnxruntime",
        ) from error
    options = TorchOptions(
        settings.provider, settings.device, settings.threads, settings.torch_precision or "", settings.torch_mode
    )
    return TorchBackend(package, settings.foundation, options)


async def serve(settings: GeneratorSettings) -> None:
    """Export if need be, forget what was erased, warm up, answer until SIGTERM, drain."""
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    # First: whoever mounted the wrong certificate need not wait for an export to hear of it.
    signer = await asyncio.to_thread(settings.marking.open_signer)
    if signer is not None:
        metrics.content_certificate_expiry.set(ends_at(settings.marking.certificate))
    # As early, as it is wrong as easily.
    analyzer = await asyncio.to_thread(open_analyzer, settings.faces, settings.faces_dir)
    settings = await asyncio.to_thread(with_foundation, settings)
    folder = await asyncio.to_thread(find_package, settings)
    engine, erased = await asyncio.to_thread(build, settings, folder, metrics, signer, analyzer)
    # Before it listens: what was erased while it was off is on its disk.
    await erased.read_first()
    running = await start_server(
        partial(register, engine),
        settings.server,
        registry=registry,
        internal=settings.internal_port,
        serving=False,
    )
    await engine.start()
    reading = asyncio.create_task(erased.run())
    deletion_cost.begin(settings.pod, metrics.work)
    await running.set_serving(True)
    await run_until_signal(running, drain_seconds=1.0, drain=lambda: engine.drain(settings.drain_seconds))
    reading.cancel()
    await engine.stop()


def main() -> int:
    """Entry point; the exit status tells whether it ended well."""
    leave_no_core()
    try:
        with telemetry("generator", os.environ):
            settings = GeneratorSettings.from_environment(os.environ)
            run(serve(settings), settings.event_loop)
    except HeadshotsError as error:
        log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
