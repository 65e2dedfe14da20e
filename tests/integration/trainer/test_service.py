"""The trainer as its callers meet it: real gRPC, real child processes, a tiny foundation; and what kills it."""

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

import grpc.aio
import numpy as np
import psutil
import pytest
import sqlalchemy as sa
import yaml
from PIL import Image

from headshots.artifacts import ArtifactStore
from headshots.database import open_database, read
from headshots.diffusion.foundations.foundation import foundation_digest
from headshots.errors import AlreadyExistsError, HeadshotsError, InvalidArgumentError, NotFoundError
from headshots.rpc.channel import error_from_rpc, open_channel
from headshots.schema import training_jobs
from headshots.v1 import jobs_pb2, trainer_pb2_grpc, trainings_pb2
from headshots.v1 import trainer_pb2 as t
from tests.support.chaos import PLAN, Kill, Plan
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_SECONDS, until

REPOSITORY = Path(__file__).resolve().parents[3]
PREFIX = "tenants/t/subjects/s/adapters/x"


@pytest.fixture(scope="session")
def foundation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # In a process of its own: torch's threads and the event loop's fork do not mix.
    path = tmp_path_factory.mktemp("trainer") / "foundation"
    script = "import sys, pathlib; from tests.support import tiny; tiny.make_tiny_foundation(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", script, str(path)], check=True, cwd=REPOSITORY, capture_output=True)
    settings = yaml.safe_load((path / "headshots.yaml").read_text())
    settings["training"] |= {"prior_rows": 0}
    (path / "headshots.yaml").write_text(yaml.safe_dump(settings))
    return path


@dataclass
class Service:
    """A trainer process and a channel to it."""

    process: subprocess.Popen[bytes]
    stub: trainer_pb2_grpc.TrainerServiceStub
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
class World:
    """A home with its database and objects, in which trainers come and go."""

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
    async def service(self, plan: Plan | None = None, **settings: object) -> AsyncIterator[Service]:
        """A trainer process, its children under ``plan`` if there is one; killed at the end if it still lives."""
        port, metrics_port = free_port(), free_port()
        values = {
            "port": port, "metrics_port": metrics_port, "threads": 1, "lease_seconds": 2, "checkpoint_seconds": 0,
            "retry_seconds": 0.1, "poll_seconds": 0.2, "drain_seconds": PATIENCE_SECONDS, **settings,
        }  # fmt: skip
        process = subprocess.Popen(  # noqa: ASYNC220 - it is waited for in a thread, and killed without a loop
            [sys.executable, "-m", "services.trainer" if plan is None else "tests.support.chaos"],
            cwd=REPOSITORY,
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
            yield Service(process, trainer_pb2_grpc.TrainerServiceStub(channel), metrics_port)
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


@pytest.fixture
def world(tmp_path: Path, foundation: Path) -> World:
    return World(tmp_path, foundation)


@contextlib.asynccontextmanager
async def _refused(kind: type[HeadshotsError], reason: str) -> AsyncIterator[None]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        yield
    error = error_from_rpc(caught.value)
    assert type(error) is kind
    assert error.reason == reason


async def test_from_photos_to_an_adapter(world: World) -> None:
    async with world.service() as service:
        described = await service.stub.DescribeTrainer(t.DescribeTrainerRequest())
        digest = foundation_digest(world.foundation)
        assert (described.foundation_digest, described.trigger, described.device) == (digest, "sks", "cpu")
        assert (described.defaults.steps, described.defaults.rank) == (4, 4)
        request = world.request(steps=6)
        first = (await service.stub.StartTraining(request)).job
        assert first.state in (jobs_pb2.JOB_STATE_PENDING, jobs_pb2.JOB_STATE_RUNNING)
        job = await service.until(lambda job: job.state >= jobs_pb2.JOB_STATE_SUCCEEDED)
        assert job.state == jobs_pb2.JOB_STATE_SUCCEEDED, job
        assert (job.step, job.total_steps, job.attempt) == (6, 6, 1)
        assert [point.step for point in job.curve] == [1, 2, 3, 4, 5, 6]
        data = await world.store.get(job.adapter.key)
        assert job.adapter.sha256 == hashlib.sha256(data).hexdigest()
        assert (job.adapter.foundation_digest, job.adapter.trigger) == (digest, "sks")
        assert await world.store.list(PREFIX) == [
            f"{PREFIX}/{name}"
            for name in ("README.md", "adapter.kohya.safetensors", "adapter.safetensors", "manifest.json", "sheet.jpg")
        ]
        # This trainer has no analyzer of faces: nothing is measured, and the answer says so.
        assert not job.HasField("likeness")
        assert (job.scores.analyzer, job.scores.passed, job.scores.chosen_step) == ("", False, 6)
        assert "not measured" in job.scores.reason
        assert (job.scores.sheet_key, job.scores.card_key) == (f"{PREFIX}/sheet.jpg", f"{PREFIX}/README.md")
        # The same again is the same job; the same id for something else is not.
        assert (await service.stub.StartTraining(request)).job == job
        assert [
            response.job async for response in service.stub.WatchTrainingJob(t.WatchTrainingJobRequest(job_id="job"))
        ] == [job]
        async with _refused(AlreadyExistsError, "JOB_ID_TAKEN"):
            await service.stub.StartTraining(world.request(steps=7))
        async with _refused(NotFoundError, "JOB_NOT_FOUND"):
            await service.job("none")
        async with _refused(InvalidArgumentError, "CONSTRAINT_VIOLATED"):
            await service.stub.StartTraining(world.request(steps=6, photos=[]))

        async def is_counted() -> bool:
            metrics = await asyncio.to_thread(service.metrics)
            return 'headshots_trainer_job_seconds_count{status="succeeded"} 1.0' in metrics

        await until(is_counted)  # which is a moment after its row is written
        metrics = await asyncio.to_thread(service.metrics)
        assert 'headshots_trainer_jobs{state="running"} 0.0' in metrics
        assert 'headshots_trainer_jobs{state="succeeded"}' not in metrics
        assert "headshots_trainer_step_seconds_count 6.0" in metrics
        assert "headshots_trainer_oldest_waiting_seconds 0.0" in metrics


async def test_bad_photos_fail_their_training_by_reason(world: World) -> None:
    good = world.photos(1)
    missing = t.PhotoRef(key="photos/none.png", sha256="0" * 64)
    exchanged = t.PhotoRef(key=good[0].key, sha256="0" * 64)
    cases = {
        "missing": ([*good, missing], "PHOTO_NOT_FOUND"),
        "exchanged": ([exchanged], "PHOTO_DIGEST_MISMATCH"),
        "text": ([*good, world.put(b"this is no picture")], "PHOTO_UNDECODABLE"),
    }
    async with world.service(workers=3, lease_seconds=60) as service:
        for job_id, (photos, _) in cases.items():
            await service.stub.StartTraining(world.request(steps=5, job_id=job_id, photos=photos))
        for job_id, (_, reason) in cases.items():
            job = await service.until(lambda job: job.state >= jobs_pb2.JOB_STATE_SUCCEEDED, job_id)
            assert (job.state, job.failure.reason, job.attempt) == (jobs_pb2.JOB_STATE_FAILED, reason, 1)
            assert job.failure.message
            assert await world.store.list(f"{PREFIX}-{job_id}") == []


async def test_cancelling_stops_the_child_and_leaves_nothing(world: World) -> None:
    async with world.service() as service:
        await service.stub.StartTraining(world.request(steps=5000))
        await service.until(lambda job: job.step >= 5)
        assert len(service.children()) == 1
        await service.stub.CancelTrainingJob(t.CancelTrainingJobRequest(job_id="job"))
        job = await service.until(lambda job: job.state >= jobs_pb2.JOB_STATE_SUCCEEDED)
        assert job.state == jobs_pb2.JOB_STATE_CANCELLED
        assert service.children() == []
        assert await world.store.list(PREFIX) == []


async def test_a_training_outlives_whatever_is_killed(world: World) -> None:
    """One training through SIGTERM, a killed child and a killed service; each time it goes on where it was."""
    plan = Plan(world.home / "plan")
    plan.write([Kill(f"{step:08d}.safetensors", "after", "hold") for step in (5, 10, 15)])
    async with world.service(plan) as service:
        await service.stub.StartTraining(world.request(steps=20))
        await until(lambda: plan.happened() == 1)
        service.process.terminate()
        assert await asyncio.to_thread(service.process.wait, PATIENCE_SECONDS) == 0
    # Handed back with a checkpoint, and no attempt lost.
    assert world.state_attempt_and_handed_back() == ("pending", 1, 1)
    assert len(await world.store.list(f"{PREFIX}/checkpoints")) == 1
    async with world.service(plan) as service:
        await until(lambda: plan.happened() == 2)
        service.children()[0].kill()
        await until(lambda: plan.happened() == 3)
        (child,) = service.children()
        service.process.kill()
        await asyncio.to_thread(service.process.wait)
        await asyncio.to_thread(child.wait, PATIENCE_SECONDS)
    assert world.state_attempt_and_handed_back() == ("running", 3, 1)
    async with world.service(plan) as service:
        job = await service.until(lambda job: job.state >= jobs_pb2.JOB_STATE_SUCCEEDED)
        assert (job.state, job.attempt, job.step) == (jobs_pb2.JOB_STATE_SUCCEEDED, 4, 20)
        assert [point.step for point in job.curve] == list(range(1, 21))
        assert "headshots_trainer_lease_expired_total 1.0" in await asyncio.to_thread(service.metrics)
        assert len(await world.store.list(PREFIX)) == 5


def test_the_service_itself_never_imports_torch() -> None:
    script = (
        "import sys; sys.modules.update(dict.fromkeys(['torch', 'diffusers', 'peft', 'transformers']));"
        "import services.trainer.__main__, services.trainer.run.__main__"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=REPOSITORY)


def test_settings_that_cannot_be_end_the_start_with_the_reason(tmp_path: Path) -> None:
    environment = {**os.environ, "HEADSHOTS_HOME": str(tmp_path), "HEADSHOTS_FOUNDATION": str(tmp_path / "none")}
    ended = subprocess.run(
        [sys.executable, "-m", "services.trainer"], cwd=REPOSITORY, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert "FOUNDATION_NOT_FOUND" in ended.stderr
    assert "Traceback" not in ended.stderr
