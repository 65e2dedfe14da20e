"""Runs one training with real trainers and child processes, and starts the trainer again whenever it was killed."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from headshots.artifacts import ArtifactStore
from headshots.database import open_database
from headshots.diffusion.safetensors_io import read_arrays
from services.trainer.lora.recipe import TrainingOptions
from services.trainer.queue import rows
from services.trainer.queue.job import Job, JobRequest, PhotoRef
from tests.support.deploy.tables import make_tables
from tests.support.paths import ROOT
from tests.support.trainer.chaos import PLAN, Kill, Plan

STEPS = 12
PREFIX = "tenants/t/subjects/s/adapters/x"
# The machine may be busy: every run imports torch, which takes seconds even on an idle one.
TIMEOUT_SECONDS = 1500.0


class SupervisedTraining:
    """One training in a home of its own, and the trainers that work on it one after another."""

    def __init__(self, home: Path, foundation: Path, **settings: object) -> None:
        self.home, self.foundation, self.trainers_started = home, foundation, 0
        self._settings = {
            "port": 0, "metrics_port": 0, "threads": 1, "lease_seconds": 1, "checkpoint_seconds": 0,
            "retry_seconds": 0.01, "poll_seconds": 0.1, "max_attempts": 100, **settings,
        }  # fmt: skip
        self.plan = Plan(home / "plan")
        self.store = ArtifactStore.open((home / "objects").as_uri())
        self.database = open_database(f"sqlite:///{home / 'headshots.db'}")
        make_tables(self.database)

    def run_to_end(self, kills: list[Kill]) -> Job:
        """Queue the training, and run it to its end under the plan ``kills``."""
        self.queue(kills)
        return self.until(lambda job: job.is_over)

    def queue(self, kills: list[Kill]) -> None:
        """Queue the training and write its plan."""
        self.plan.write(kills)
        rows.insert(self.database, "job", "t", 1, self._request())

    def until(self, reached: Callable[[Job], bool]) -> Job:
        """Start a trainer, again whenever it is gone, until ``reached`` holds; the trainer is killed then."""
        process = self.start()

        def check(job: Job) -> bool:
            nonlocal process
            if not (is_reached := reached(job)) and process.poll() is not None:
                process = self.start()
            return is_reached

        try:
            return self.wait(check)
        finally:
            process.kill()
            process.wait()

    def wait(self, reached: Callable[[Job], bool]) -> Job:
        """Poll the job until ``reached`` holds."""
        give_up_at = time.monotonic() + TIMEOUT_SECONDS
        while not reached(job := rows.get(self.database, "job")):
            assert time.monotonic() < give_up_at, job
            time.sleep(0.05)
        return job

    def start(self) -> subprocess.Popen[bytes]:
        """Start a trainer."""
        self.trainers_started += 1
        return subprocess.Popen(
            [sys.executable, "-m", "tests.support.trainer.chaos"],
            cwd=ROOT,
            env={
                **os.environ,
                PLAN: str(self.plan.folder),
                "HEADSHOTS_HOME": str(self.home),
                "HEADSHOTS_FOUNDATION": str(self.foundation),
                **{f"HEADSHOTS_TRAINER_{name.upper()}": str(value) for name, value in self._settings.items()},
            },
        )

    def _request(self) -> JobRequest:
        photos = []
        for seed in range(2):
            packed = io.BytesIO()
            pixels = np.random.default_rng(seed).integers(0, 256, (72, 64, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(packed, "PNG")
            digest = hashlib.sha256(packed.getvalue()).hexdigest()
            self.store.put_sync(f"photos/{digest}.png", packed.getvalue())
            photos.append(PhotoRef(f"photos/{digest}.png", digest))
        return JobRequest(tuple(photos), PREFIX, "man", TrainingOptions(steps=STEPS))

    def objects(self) -> list[str]:
        """Keys of the training's objects in the store."""
        return self.store.list_sync(PREFIX)

    def weights(self, job: Job) -> dict[str, np.ndarray]:
        """The adapter's weights; its digest must be the one in the job."""
        assert job.adapter is not None
        data = self.store.get_sync(job.adapter.key)
        assert hashlib.sha256(data).hexdigest() == job.adapter.sha256
        return dict(read_arrays(data)[0])

    def close(self) -> None:
        """Close the database."""
        self.database.dispose()


@dataclass(frozen=True)
class Result:
    """The result of a training; two trainings of the same request must have equal results."""

    job: Job
    weights: dict[str, np.ndarray]
    objects: list[str]

    @classmethod
    def of(cls, training: SupervisedTraining, job: Job) -> Result:
        """The result of a training that succeeded."""
        return cls(job, training.weights(job), training.objects())

    def must_equal(self, other: Result) -> None:
        """Compare weights to 1e-5 of their norm, the curve to 1e-5, and the keys of the objects."""
        np.testing.assert_allclose(np.array(self.job.curve), np.array(other.job.curve), rtol=1e-5)
        assert set(self.weights) == set(other.weights)
        for name, array in other.weights.items():
            error = np.linalg.norm(self.weights[name] - array) / np.linalg.norm(array)
            assert error <= 1e-5, name
        assert self.objects == other.objects
