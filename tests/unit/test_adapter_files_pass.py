"""What a trainer wrote of an adapter passes unchanged from its row through its answer to a gateway's JSON column."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from headshots.schema import SUCCEEDED
from services.gateway.peers.convert import training_job as job_from_rpc
from services.gateway.peers.models import TrainingJob
from services.gateway.peers.stored_files import StoredFile
from services.trainer.queue.job import AdapterFiles, Job
from services.trainer.servicer import _job as job_to_rpc
from tests.support.trainer.world import ADAPTER, REQUEST


def _column(value: Any) -> Any:
    """A dataclass as a JSON column gives it back."""
    return json.loads(json.dumps(dataclasses.asdict(value)))


def _answered(adapter: AdapterFiles) -> TrainingJob:
    """What a gateway is told of a job that made this adapter."""
    needed = [field.name for field in dataclasses.fields(Job) if field.default is dataclasses.MISSING]
    unset = dict.fromkeys(needed, 0)
    nothing = dict.fromkeys(["eta_seconds", "last_failure", "likeness", "scores", "started_at", "ended_at"])
    given = {"id": "j", "state": SUCCEEDED, "request": REQUEST, "curve": (), "adapter": adapter}
    return job_from_rpc(job_to_rpc(Job(**{**unset, **nothing, **given})))


@pytest.mark.parametrize("told", [True, False])
def test_the_files_beside_an_adapter_reach_the_gateways_row(*, told: bool) -> None:
    """Not `told`: the trainer's row is of before they were."""
    row = _column(ADAPTER)
    if not told:
        del row["others"]
    answered = _answered(AdapterFiles.from_json(row))
    assert answered.others == ((StoredFile("out/a/s", "b" * 64, 5),) if told else ())
    assert answered.adapter is not None
    assert (answered.adapter.key, answered.adapter.sha256) == (ADAPTER.key, ADAPTER.sha256)
    assert TrainingJob.from_json(_column(answered)) == answered


def test_a_gateways_row_of_before_they_were_told_is_read() -> None:
    answered = _answered(ADAPTER)
    row = _column(answered)
    del row["others"]
    assert TrainingJob.from_json(row) == dataclasses.replace(answered, others=())
