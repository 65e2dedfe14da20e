"""A training's process goes on with the call that ordered the training, in each line of its log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.trainer.run.messages import Failed, Task
from services.trainer.workers.process import TrainingProcess
from tests.support.trainer.world import REQUEST


async def test_its_lines_tell_the_request_id_and_the_training(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSHOTS_LOG_FORMAT", "json")
    # Its foundation is not there, so that it ends before it imports torch.
    task = Task(
        job_id="j",
        request=REQUEST,
        foundation=str(tmp_path / "nowhere"),
        foundation_digest="",
        foundation_stamp="",
        store_url=tmp_path.as_uri(),
        device="cpu",
        threads=1,
        checkpoint_seconds=60.0,
        origin={"request_id": "order-7"},
    )
    process = await TrainingProcess.start(task)
    (event,) = [event async for event in process.events()]
    assert isinstance(event, Failed)
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert lines
    assert {(line["request_id"], line["training"], line["service"]) for line in lines} == {("order-7", "j", "trainer")}
