"""The trainer service through gRPC, with real child processes and a tiny foundation; and killed processes."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest

from headshots.diffusion.foundations.foundation import foundation_digest
from headshots.errors import AlreadyExistsError, HeadshotsError, InvalidArgumentError, NotFoundError
from headshots.rpc.channel import error_from_rpc
from headshots.v1 import jobs_pb2, trainings_pb2
from headshots.v1 import trainer_pb2 as t
from tests.support.foundations.trained_quickly import make_foundation
from tests.support.kubernetes_api import FakeKubernetes
from tests.support.paths import ROOT
from tests.support.trainer.chaos import Kill, Plan
from tests.support.trainer.service import PREFIX, TrainerHome, TrainerService
from tests.support.waiting import PATIENCE_SECONDS, until, until_equal

POD = "trainer-7d9f-x2x4p"


@pytest.fixture(scope="session")
def foundation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_foundation(tmp_path_factory.mktemp("trainer") / "foundation")


@pytest.fixture
def home(tmp_path: Path, foundation: Path) -> TrainerHome:
    return TrainerHome(tmp_path, foundation)


@contextlib.asynccontextmanager
async def _refused(kind: type[HeadshotsError], reason: str) -> AsyncIterator[None]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        yield
    error = error_from_rpc(caught.value)
    assert type(error) is kind
    assert error.reason == reason


FILES = ("README.md", "adapter.kohya.safetensors", "adapter.safetensors", "job-id", "manifest.json", "sheet.jpg")


async def test_from_photos_to_an_adapter_that_no_other_job_takes(home: TrainerHome) -> None:
    async with home.service() as service:
        described = await service.stub.DescribeTrainer(t.DescribeTrainerRequest())
        digest = foundation_digest(home.foundation)
        assert (described.foundation_digest, described.trigger, described.device) == (digest, "sks", "cpu")
        assert (described.defaults.steps, described.defaults.rank) == (4, 4)
        request = home.request(steps=6)
        first = (await service.stub.StartTraining(request)).job
        assert first.state in (jobs_pb2.JOB_STATE_PENDING, jobs_pb2.JOB_STATE_RUNNING)
        watched = service.stub.WatchTrainingJob(t.WatchTrainingJobRequest(job_id="job"))
        *before, job = [response.job async for response in watched]
        assert job.state == jobs_pb2.JOB_STATE_SUCCEEDED, job
        # To import torch alone takes longer than it is until a run's progress is written.
        assert trainings_pb2.TRAINING_PHASE_LOADING in {each.progress.phase for each in before}
        assert not job.HasField("progress")
        assert (job.step, job.total_steps, job.attempt) == (6, 6, 1)
        assert [point.step for point in job.curve] == [1, 2, 3, 4, 5, 6]
        data = await home.store.get(job.adapter.key)
        assert job.adapter.sha256 == hashlib.sha256(data).hexdigest()
        assert (job.adapter.foundation_digest, job.adapter.trigger) == (digest, "sks")
        assert await home.store.list(PREFIX) == [f"{PREFIX}/{name}" for name in FILES]
        # This trainer has no analyzer of faces: likeness is not measured.
        assert not job.HasField("likeness")
        assert (job.scores.analyzer, job.scores.passed, job.scores.chosen_step) == ("", False, 6)
        assert "not measured" in job.scores.reason
        assert (job.scores.sheet_key, job.scores.card_key) == (f"{PREFIX}/sheet.jpg", f"{PREFIX}/README.md")
        # The same request again returns the same job; another request with its id is refused.
        assert (await service.stub.StartTraining(request)).job == job
        assert [
            response.job async for response in service.stub.WatchTrainingJob(t.WatchTrainingJobRequest(job_id="job"))
        ] == [job]
        async with _refused(AlreadyExistsError, "JOB_ID_TAKEN"):
            await service.stub.StartTraining(home.request(steps=7))
        async with _refused(NotFoundError, "JOB_NOT_FOUND"):
            await service.job("none")
        async with _refused(InvalidArgumentError, "CONSTRAINT_VIOLATED"):
            await service.stub.StartTraining(home.request(steps=6, photos=[]))
        await _must_be_counted(service)
        await _another_id_takes_nothing(service, home, request)


async def _must_be_counted(service: TrainerService) -> None:
    """The metrics of one training of six steps that succeeded."""

    async def is_counted() -> bool:
        metrics = await asyncio.to_thread(service.metrics)
        ended = 'headshots_trainer_job_seconds_count{status="succeeded"} 1.0' in metrics
        return ended and 'headshots_trainer_jobs{state="running"} 0.0' in metrics

    # Which is a moment after its row is written, and scrapes of a second share what one has read.
    await until(is_counted)
    metrics = await asyncio.to_thread(service.metrics)
    assert 'headshots_trainer_jobs{state="succeeded"}' not in metrics
    assert "headshots_trainer_step_seconds_count 6.0" in metrics
    assert "headshots_trainer_oldest_waiting_seconds 0.0" in metrics


async def _another_id_takes_nothing(
    service: TrainerService, home: TrainerHome, request: t.StartTrainingRequest
) -> None:
    """The same request under another id neither ends with the first one's adapter, nor removes anything of it."""
    first = await service.job()
    request.job_id = "other"
    await service.stub.StartTraining(request)
    other = await service.until(lambda job: job.state >= jobs_pb2.JOB_STATE_SUCCEEDED, "other")
    assert (other.state, other.failure.reason) == (jobs_pb2.JOB_STATE_FAILED, "OUTPUT_TAKEN")
    await service.stub.CancelTrainingJob(t.CancelTrainingJobRequest(job_id="other"))
    assert await home.store.list(PREFIX) == [f"{PREFIX}/{name}" for name in FILES]
    assert hashlib.sha256(await home.store.get(first.adapter.key)).hexdigest() == first.adapter.sha256


async def test_bad_photos_fail_their_training_by_reason(home: TrainerHome) -> None:
    good = home.photos(1)
    missing = t.PhotoRef(key="photos/none.png", sha256="0" * 64)
    exchanged = t.PhotoRef(key=good[0].key, sha256="0" * 64)
    cases = {
        "missing": ([*good, missing], "PHOTO_NOT_FOUND"),
        "exchanged": ([exchanged], "PHOTO_DIGEST_MISMATCH"),
        "text": ([*good, home.put(b"this is not an image")], "PHOTO_UNDECODABLE"),
    }
    async with home.service(workers=3, lease_seconds=60) as service:
        for job_id, (photos, _) in cases.items():
            await service.stub.StartTraining(home.request(steps=5, job_id=job_id, photos=photos))
        for job_id, (_, reason) in cases.items():
            job = await service.until(lambda job: job.state >= jobs_pb2.JOB_STATE_SUCCEEDED, job_id)
            assert (job.state, job.failure.reason, job.attempt) == (jobs_pb2.JOB_STATE_FAILED, reason, 1)
            assert job.failure.message
            assert await home.store.list(f"{PREFIX}-{job_id}") == []


async def test_cancelling_kills_the_child_process_and_removes_its_artefacts(home: TrainerHome) -> None:
    async with home.service() as service:
        await service.stub.StartTraining(home.request(steps=5000))
        await service.until(lambda job: job.step >= 5)
        assert len(service.children()) == 1
        await service.stub.CancelTrainingJob(t.CancelTrainingJobRequest(job_id="job"))
        job = await service.until(lambda job: job.state >= jobs_pb2.JOB_STATE_SUCCEEDED)
        assert job.state == jobs_pb2.JOB_STATE_CANCELLED
        assert service.children() == []
        assert await home.store.list(PREFIX) == []


async def test_a_training_survives_a_stopped_service_a_killed_process_and_a_killed_service(
    home: TrainerHome, kubernetes: FakeKubernetes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The training is resumed from its checkpoint each time; the trainer's pod tells of it while it runs."""
    for name, value in {"HEADSHOTS_POD_NAME": POD, **kubernetes.environment}.items():
        monkeypatch.setenv(name, value)
    plan = Plan(home.home / "plan")
    plan.write([Kill(f"{step:08d}.safetensors", "after", "hold") for step in (5, 10, 15)])
    async with home.service(plan) as service:
        await service.stub.StartTraining(home.request(steps=20))
        await until(lambda: plan.happened() == 1)
        await until_equal(lambda: kubernetes.costs(POD)[-1:], [1])
        service.process.terminate()
        assert await asyncio.to_thread(service.process.wait, PATIENCE_SECONDS) == 0
    # Handed back with a checkpoint; no run was lost.
    assert home.state_attempt_and_handed_back() == ("pending", 1, 1)
    assert len(await home.store.list(f"{PREFIX}/checkpoints")) == 1
    async with home.service(plan) as service:
        await until(lambda: plan.happened() == 2)
        service.children()[0].kill()
        await until(lambda: plan.happened() == 3)
        (child,) = service.children()
        service.process.kill()
        await asyncio.to_thread(service.process.wait)
        await asyncio.to_thread(child.wait, PATIENCE_SECONDS)
    assert home.state_attempt_and_handed_back() == ("running", 3, 1)
    async with home.service(plan) as service:
        job = await service.until(lambda job: job.state >= jobs_pb2.JOB_STATE_SUCCEEDED)
        assert (job.state, job.attempt, job.step) == (jobs_pb2.JOB_STATE_SUCCEEDED, 4, 20)
        assert [point.step for point in job.curve] == list(range(1, 21))
        assert "headshots_trainer_lease_expired_total 1.0" in await asyncio.to_thread(service.metrics)
        assert len(await home.store.list(PREFIX)) == 6
        await until_equal(lambda: kubernetes.costs(POD)[-1:], [0])


def test_the_service_itself_never_imports_torch() -> None:
    script = (
        "import sys; sys.modules.update(dict.fromkeys(['torch', 'diffusers', 'peft', 'transformers']));"
        "import services.trainer.__main__, services.trainer.run.__main__"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)


def test_invalid_settings_end_the_start_with_the_reason(tmp_path: Path) -> None:
    environment = {**os.environ, "HEADSHOTS_HOME": str(tmp_path), "HEADSHOTS_FOUNDATION": str(tmp_path / "none")}
    ended = subprocess.run(
        [sys.executable, "-m", "services.trainer"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert "FOUNDATION_NOT_FOUND" in ended.stderr
    assert "Traceback" not in ended.stderr
