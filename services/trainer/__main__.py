"""Starts the trainer service: ``python -m services.trainer``."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import sys

from prometheus_client import CollectorRegistry

from headshots.artifacts import ArtifactStore
from headshots.database import migrate, open_database
from headshots.diffusion.foundations.foundation import Foundation, foundation_digest
from headshots.diffusion.importing.ensure import usable_foundation
from headshots.diffusion.importing.fusing.request import read_fusion, separated
from headshots.errors import HeadshotsError
from headshots.faces import check_installed
from headshots.pods import deletion_cost
from headshots.processes.cores import leave_no_core
from headshots.rpc.server import run_until_signal, start_server
from headshots.settings import without_analyzer
from headshots.telemetry.starting import telemetry
from services.trainer.engine import TrainerEngine
from services.trainer.metrics import Metrics
from services.trainer.queue.wakeup import Wakeup
from services.trainer.run.device import choose_device
from services.trainer.run.foundation_stamp import foundation_stamp
from services.trainer.servicer import TrainerServicer
from services.trainer.settings import TrainerSettings
from services.trainer.workers.context import WorkerContext


async def serve(settings: TrainerSettings) -> None:
    """Run until SIGTERM or SIGINT."""
    registry = CollectorRegistry()
    engine = TrainerEngine(await asyncio.to_thread(build, settings, registry))
    # Fails now, rather than in the first training, if the foundation's recipe is invalid.
    engine.describe()
    running = await start_server(
        TrainerServicer(engine).register, settings.server, registry=registry, internal=settings.internal_port
    )
    engine.begin()
    deletion_cost.begin(settings.pod, engine.running)
    in_time = True

    async def drain() -> None:
        nonlocal in_time
        in_time = await engine.drain()

    # Watches do not end by themselves: their callers reconnect to another replica.
    await run_until_signal(running, drain_seconds=0.5, drain=drain)
    if not in_time:
        # A thread hangs in a call to the database or the store, and asyncio would wait for it. Leases run out by
        # themselves, and training processes end with their parent.
        logging.shutdown()
        os._exit(0)


def build(settings: TrainerSettings, registry: CollectorRegistry) -> WorkerContext:
    """Put the parts together; the database has its tables then. Blocking: the foundation is read whole."""
    foundation = Foundation.read(settings.foundation)
    database = open_database(settings.database_url)
    migrate(database)
    digest = foundation_digest(settings.foundation)
    return WorkerContext(
        engine=database,
        store=ArtifactStore.open(settings.store_url),
        foundation=foundation,
        foundation_stamp=foundation_stamp(settings.foundation),
        foundation_digest=digest,
        device=choose_device(settings.device),
        settings=settings,
        metrics=Metrics(registry, database, digest),
        worker_wakeup=Wakeup(),
        changes=Wakeup(),
    )


def with_usable_foundation(settings: TrainerSettings) -> TrainerSettings:
    """The settings with a foundation's folder that can be used: it may have to be imported, and LoRA fused into it."""
    log = logging.getLogger("services.trainer")
    fusion = read_fusion(separated(settings.fuse), settings.few_steps)
    foundation = usable_foundation(settings.foundation, settings.foundations_dir, os.environ, _tell, log.info, fusion)
    return dataclasses.replace(settings, foundation=foundation)


def _tell(what: str, share: float) -> None:
    logging.getLogger("services.trainer").info("import of the foundation: %s (%.0f%%)", what, share * 100)


def main() -> int:
    """Start from the environment; returns the exit status."""
    leave_no_core()
    try:
        with telemetry("trainer", os.environ):
            settings = TrainerSettings.from_environment(os.environ)
            if settings.faces == "none":
                logging.getLogger("services.trainer").warning(without_analyzer("trainer"))
            check_installed(settings.faces, settings.faces_dir)
            # Not uvloop, which forks for the training processes: with threads of torch, that may hang (decision 51).
            asyncio.run(serve(with_usable_foundation(settings)))
    except HeadshotsError as error:
        print(f"trainer: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
