"""Stands in for a trainer, in a process of its own: its trainings write a random adapter for a package at once.

``python -m benchmarks.gateway.quick_trainer --home FOLDER --port PORT --package FOLDER``.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from benchmarks.serving.world import random_adapter
from headshots.artifacts import ArtifactStore
from headshots.diffusion.package import EnginePackage
from headshots.processes.cores import leave_no_core
from headshots.rpc.server import run_until_signal
from headshots.v1 import trainer_pb2
from tests.support.gateway.fake_trainer import FakeTrainer
from tests.support.gateway.peer import serve


class QuickTrainer(FakeTrainer):
    """Its adapters fit the package's foundation."""

    def __init__(self, store: ArtifactStore, package: EnginePackage) -> None:
        super().__init__(store)
        self._package = package
        self.foundation_digest = package.foundation_digest

    def weights(self, request: trainer_pb2.StartTrainingRequest) -> bytes:
        """Other ones for each job."""
        return random_adapter(self._package.layout, len(self.requests))


async def _run(home: Path, port: int, package: Path) -> None:
    trainer = QuickTrainer(ArtifactStore.open((home / "objects").as_uri()), EnginePackage.read(package))
    await run_until_signal(await serve(trainer, home, port), drain_seconds=0.5)


def main() -> None:
    """Runs until SIGTERM."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--package", type=Path, required=True, help="engine package that the adapters are for")
    given = parser.parse_args()
    leave_no_core()
    asyncio.run(_run(given.home, given.port, given.package))


if __name__ == "__main__":
    main()
