"""Starts trainer processes in a home of their own, and calls them through gRPC."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import os
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import sqlalchemy as sa
from PIL import Image

from headshots.artifacts import ArtifactStore
from headshots.database import open_database, read
from headshots.rpc.channel import open_channel
from headshots.schema import training_jobs
from headshots.v1 import trainer_pb2 as t
from headshots.v1 import trainer_pb2_grpc, trainings_pb2
from tests.support.grants import SignedStub
from tests.support.paths import ROOT
from tests.support.ports import free_port
from tests.support.trainer.chaos import PLAN, Plan
from tests.support.waiting import PATIENCE_SECONDS

PREFIX = "tenants/t/subjects/s/adapters/x"


@dataclass
class TrainerService:
    """A trainer process and a channel to it."""

    process: subprocess.Popen[bytes]
    stub: Any
    """Its calls are signed."""
    metrics_port: int

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    async def job(self, job_id: str = "job") -> t.TrainingJob:
        return (await self.stub.GetTrainingJob(t.GetTrainingJobRequest(job_id=job_id))).job

    async def until(self, reached: Callable[[t.TrainingJob], bool], job_id: str = "job") -> t.TrainingJob:
        async with asyncio.timeout(PATIENCE_SECONDS):
            call = self.stub.WatchTrainingJob(t.WatchTrainingJobRequest(job_id=job_id))
            async for response in call:
                if reached(response.job):
                    call.cancel()
                    return response.job
        raise AssertionError("the watch ended before")

    def metrics(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics") as answer:
            return str(answer.read(), "utf-8")


@dataclass
class TrainerHome:
    """A home with its database and objects, in which trainers are started and stopped."""

    home: Path
    foundation: Path

    @property
    def store(self) -> ArtifactStore:
        return ArtifactStore.open((self.home / "objects").as_uri())

    def photos(self, count: int = 2) -> list[t.PhotoRef]:
        refs = []
        for seed in range(count):
            pixels = np.random.default_rng(seed).integers(0, 256, (72, 64, 3), dtype=np.uint8)
            packed = io.BytesIO()
            Image.fromarray(pixels).save(packed, "PNG")
            refs.append(self.put(packed.getvalue()))
        return refs

    def put(self, data: bytes) -> t.PhotoRef:
        digest = hashlib.sha256(data).hexdigest()
        self.store.put_sync(f"photos/{digest}.png", data)
        return t.PhotoRef(key=f"photos/{digest}.png", sha256=digest)

    def request(
        self, steps: int, job_id: str = "job", photos: list[t.PhotoRef] | None = None
    ) -> t.StartTrainingRequest:
        return t.StartTrainingRequest(
            job_id=job_id,
            tenant="t",
            photos=self.photos() if photos is None else photos,
            output_prefix=PREFIX if job_id == "job" else f"{PREFIX}-{job_id}",
            class_noun="man",
            options=trainings_pb2.TrainingOptions(steps=steps),
        )

    @contextlib.asynccontextmanager
    async def service(self, plan: Plan | None = None, **settings: object) -> AsyncIterator[TrainerService]:
        """A trainer process whose child processes follow ``plan``, if there is one; it is killed at the end."""
        port, metrics_port = free_port(), free_port()
        values = {
            "port": port, "metrics_port": metrics_port, "threads": 1, "lease_seconds": 2, "checkpoint_seconds": 0,
            "retry_seconds": 0.1, "poll_seconds": 0.2, "drain_seconds": PATIENCE_SECONDS, **settings,
        }  # fmt: skip
        process = subprocess.Popen(  # noqa: ASYNC220 - it is waited for in a thread, and killed without a loop
            [sys.executable, "-m", "services.trainer" if plan is None else "tests.support.trainer.chaos"],
            cwd=ROOT,
            env={
                **os.environ,
                PLAN: str(plan.folder) if plan else "",
                "HEADSHOTS_HOME": str(self.home),
                "HEADSHOTS_FOUNDATION": str(self.foundation),
                **{f"HEADSHOTS_TRAINER_{name.upper()}": str(value) for name, value in values.items()},
            },
        )
        channel = open_channel(f"127.0.0.1:{port}")
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await channel.channel_ready()
            stub = SignedStub(trainer_pb2_grpc.TrainerServiceStub(channel), "trainer", self.home)
            yield TrainerService(process, stub, metrics_port)
        finally:
            await channel.close()
            if process.poll() is None:
                process.kill()
            await asyncio.to_thread(process.wait)

    def state_attempt_and_handed_back(self) -> tuple[str, int, int]:
        engine = open_database(f"sqlite:///{self.home / 'headshots.db'}")
        with read(engine) as connection:
            row = connection.execute(sa.select(training_jobs)).one()
        engine.dispose()
        return row.state, row.attempt, row.handed_back
