"""What somebody tries who reaches the trainer's port: refused with the reason, no job made, read or stopped."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from prometheus_client import CollectorRegistry

from headshots.database import read
from headshots.errors import PermissionDeniedError, UnauthenticatedError
from headshots.rpc.channel import open_channel
from headshots.rpc.internal.grants import METADATA_KEY, Grant
from headshots.rpc.internal.secret import Secret
from headshots.rpc.internal.signing import Signer
from headshots.rpc.server import ServerSettings, start_server
from headshots.schema import training_jobs
from headshots.v1 import trainer_pb2 as t
from headshots.v1 import trainer_pb2_grpc
from services.trainer.servicer import TrainerServicer
from tests.support.grants import KEY_FILE, port_of, refusal
from tests.support.trainer.world import WORKING, Trainer, opened_trainer

MINE, THEIRS = "tenants/acme/subjects/me", "tenants/globex/subjects/they"
GRANT = Grant("trainer", "StartTraining", "acme", (MINE,), f"{MINE}/adapters/j", "j")


def start(**fields: Any) -> t.StartTrainingRequest:
    wanted: dict[str, Any] = {
        "job_id": "j",
        "tenant": "acme",
        "photos": [t.PhotoRef(key=f"{MINE}/photos/1.png", sha256="1" * 64)],
        "output_prefix": f"{MINE}/adapters/j",
        "class_noun": "man",
    }
    return t.StartTrainingRequest(**{**wanted, **fields})


ATTACKS: dict[str, tuple[dict[str, Any], str]] = {
    "under another id": ({"job_id": "k"}, "job_id"),
    "for another tenant": ({"tenant": "globex"}, "tenant"),
    "from another's photos": (
        {"photos": [*start().photos, t.PhotoRef(key=f"{THEIRS}/photos/1.png", sha256="1" * 64)]},
        "photos[1].key",
    ),
    "by a way round": (
        {"photos": [t.PhotoRef(key=f"{MINE}/../they/photos/1.png", sha256="1" * 64)]},
        "photos[0].key",
    ),
    "into another's folder": ({"output_prefix": f"{THEIRS}/adapters/j"}, "output_prefix"),
    "over another adapter of its own": ({"output_prefix": f"{MINE}/adapters/i"}, "output_prefix"),
}


@pytest.fixture
async def trainer(tmp_path: Path) -> AsyncIterator[Trainer]:
    async with opened_trainer(tmp_path, WORKING) as made:
        yield made


@pytest.fixture
async def stub(trainer: Trainer, tmp_path: Path) -> AsyncIterator[Any]:
    """A stub that signs nothing."""
    running = await start_server(
        TrainerServicer(trainer.engine).register,
        ServerSettings(),
        registry=CollectorRegistry(),
        internal=port_of("trainer", tmp_path),
    )
    async with open_channel(f"127.0.0.1:{running.port}") as channel:
        yield trainer_pb2_grpc.TrainerServiceStub(channel)
    await running.stop()


def rows(trainer: Trainer) -> list[Any]:
    with read(trainer.database) as connection:
        return list(connection.execute(sa.select(training_jobs.c.id, training_jobs.c.cancel_requested)))


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_training_beyond_its_grant_is_refused_and_makes_no_job(
    trainer: Trainer, stub: Any, tmp_path: Path, attack: str
) -> None:
    fields, field = ATTACKS[attack]
    metadata = Signer(Secret(tmp_path / KEY_FILE)).metadata(GRANT)
    error = await refusal(stub.StartTraining(start(**fields), metadata=metadata))
    assert (type(error), error.reason) == (PermissionDeniedError, "GRANT_TOO_NARROW")
    assert [violation.field for violation in error.violations] == [field]
    assert rows(trainer) == []
    await stub.StartTraining(start(), metadata=metadata)
    assert rows(trainer) == [("j", False)]


OF_JOBS: dict[str, Any] = {
    "GetTrainingJob": t.GetTrainingJobRequest(job_id="j"),
    "WatchTrainingJob": t.WatchTrainingJobRequest(job_id="j"),
    "CancelTrainingJob": t.CancelTrainingJobRequest(job_id="j"),
}


@pytest.mark.parametrize("method", OF_JOBS)
async def test_a_job_is_read_and_stopped_only_with_a_grant_for_it(
    trainer: Trainer, stub: Any, tmp_path: Path, method: str
) -> None:
    signer = Signer(Secret(tmp_path / KEY_FILE))
    await stub.StartTraining(start(), metadata=signer.metadata(GRANT))
    other = signer.metadata(Grant("trainer", method, job="k"))
    error = await refusal(getattr(stub, method)(OF_JOBS[method], metadata=other))
    assert (type(error), error.reason) == (PermissionDeniedError, "GRANT_TOO_NARROW")
    assert rows(trainer) == [("j", False)]


CALLS: dict[str, Any] = {"StartTraining": start(), "DescribeTrainer": t.DescribeTrainerRequest(), **OF_JOBS}


@pytest.mark.parametrize("method", CALLS)
async def test_no_call_is_taken_without_a_grant_for_it(
    trainer: Trainer, stub: Any, tmp_path: Path, method: str
) -> None:
    signer = Signer(Secret(tmp_path / KEY_FILE))
    right = dataclasses.replace(GRANT, method=method)
    for metadata, kind, reason in (
        ((), UnauthenticatedError, "GRANT_MISSING"),
        (signer.metadata(right) * 2, UnauthenticatedError, "GRANT_MISSING"),
        (((METADATA_KEY, "v1.e30.x"),), UnauthenticatedError, "GRANT_INVALID"),
        (Signer(Secret(tmp_path / "another-key")).metadata(right), UnauthenticatedError, "GRANT_INVALID"),
        (Signer(Secret(tmp_path / KEY_FILE), lambda: 1e9).metadata(right), UnauthenticatedError, "GRANT_EXPIRED"),
        (signer.metadata(dataclasses.replace(right, audience="generator")), PermissionDeniedError, "GRANT_TOO_NARROW"),
        (signer.metadata(dataclasses.replace(right, method="Other")), PermissionDeniedError, "GRANT_TOO_NARROW"),
    ):
        error = await refusal(getattr(stub, method)(CALLS[method], metadata=metadata))
        assert (type(error), error.reason) == (kind, reason)
    assert rows(trainer) == []
    assert set(CALLS) == {one.name for one in t.DESCRIPTOR.services_by_name["TrainerService"].methods}


async def test_a_changed_secret_is_taken_by_a_running_service(trainer: Trainer, stub: Any, tmp_path: Path) -> None:
    file = tmp_path / KEY_FILE
    describe, grant = t.DescribeTrainerRequest(), Grant("trainer", "DescribeTrainer")
    old, new = Secret(file).signing.hex(), "cd" * 32
    with_old = Signer(Secret(file)).metadata(grant)
    (tmp_path / "new").write_text(new)
    with_new = Signer(Secret(tmp_path / "new")).metadata(grant)
    assert (await refusal(stub.DescribeTrainer(describe, metadata=with_new))).reason == "GRANT_INVALID"
    file.write_text(f"{new}\n{old}\n")
    for metadata in (with_old, with_new):
        await stub.DescribeTrainer(describe, metadata=metadata)
    file.write_text(f"{new}\n")
    assert (await refusal(stub.DescribeTrainer(describe, metadata=with_old))).reason == "GRANT_INVALID"
    await stub.DescribeTrainer(describe, metadata=with_new)
