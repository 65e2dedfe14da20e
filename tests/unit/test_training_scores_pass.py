"""A training's scores pass unchanged from the trainer's answer through every layer and a JSON column to the SDK."""

from __future__ import annotations

import json

import numpy as np

from headshots.client.convert import trainings as client_convert
from headshots.v1 import jobs_pb2, trainings_pb2
from headshots.v1 import trainer_pb2 as t
from services.gateway.peers.convert import training_job as job_from_rpc
from services.gateway.peers.models import TrainingJob, TrainingOptions, TrainingRequest
from services.gateway.trainings import convert
from services.gateway.trainings.models import Training
from services.trainer.selection.scores import CheckpointScores, TrainingScores
from services.trainer.servicer import _scores as scores_to_rpc

SCORES = TrainingScores(
    analyzer="colour-1",
    held_out=2,
    chosen_step=300,
    reason="step 300 was taken",
    passed=True,
    stopped_early=False,
    checkpoints=(
        CheckpointScores(150, 0.5, 0.125, 0.75, 1.0, 1.0, 0.25, 0.5, 0.75),
        CheckpointScores(300, 0.7, -0.1, 0.5, 0.6, 0.0, 0.0, 0.0, 0.75),
    ),
    sheet_key="a/sheet.jpg",
    card_key="a/README.md",
)


def _through_the_gateway(message: t.TrainingJob) -> trainings_pb2.Training:
    job = TrainingJob.from_json(json.loads(json.dumps(job_from_rpc(message).to_json())))
    request = TrainingRequest("j", "t", (), "out", "man", TrainingOptions(), 1)
    return convert.training(Training("j", "s", request, job, created_at=0.0))


def test_scores_reach_the_caller_unchanged() -> None:
    message = t.TrainingJob(job_id="j", state=jobs_pb2.JOB_STATE_SUCCEEDED, scores=scores_to_rpc(SCORES))
    public = _through_the_gateway(message)
    assert public.scores == message.scores
    scores = client_convert.training(public).scores
    assert scores is not None
    assert (scores.analyzer, scores.held_out, scores.reason, scores.passed) == (
        "colour-1",
        2,
        "step 300 was taken",
        True,
    )
    assert [one.step for one in scores.checkpoints] == [150, 300]
    np.testing.assert_allclose(
        [list(vars(one).values()) for one in scores.checkpoints],
        [list(vars(one).values()) for one in SCORES.checkpoints],
        rtol=1e-6,
    )


def test_scores_that_were_not_measured_say_so() -> None:
    """In a trainer's row and a gateway's, and to the caller: unset, not 0."""
    stored = SCORES.to_json()
    for one in stored["checkpoints"]:
        del one["accepted"], one["regular"], one["bare_regular"]
    old = TrainingScores.from_json(json.loads(json.dumps(stored)))
    message = t.TrainingJob(job_id="j", state=jobs_pb2.JOB_STATE_SUCCEEDED, scores=scores_to_rpc(old))
    scores = client_convert.training(_through_the_gateway(message)).scores
    assert scores is not None
    for name in ("accepted", "regular", "bare_regular"):
        assert [getattr(one, name) for one in scores.checkpoints] == [None, None]


def test_a_training_that_runs_has_no_scores() -> None:
    public = _through_the_gateway(t.TrainingJob(job_id="j", state=jobs_pb2.JOB_STATE_RUNNING))
    assert not public.HasField("scores")
    assert client_convert.training(public).scores is None
