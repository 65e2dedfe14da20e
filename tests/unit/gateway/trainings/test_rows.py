"""A training's row changes forward only, and never after its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import keys, schema
from headshots.database import open_database
from headshots.schema import CANCELLED, FAILED, PENDING, RUNNING, SUCCEEDED
from services.gateway.api.progress import TrainingProgress
from services.gateway.api.requests import IdempotencyKey
from services.gateway.peers.models import Adapter, TrainingJob, TrainingOptions, TrainingRequest
from services.gateway.retention.waiting import MESSAGE
from services.gateway.subjects.rows import create_subject
from services.gateway.trainings import mirror
from services.gateway.trainings import rows as training_rows
from services.gateway.trainings.creating import create_training
from services.gateway.trainings.models import Training
from tests.support.consents import GIVEN
from tests.support.deploy.tables import make_tables

ADAPTER = Adapter("ab" * 32, "a/adapter.safetensors", "cd" * 32, 4, "ohwx", 9, "", "")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'headshots.db'}")
    make_tables(engine)
    keys.create_tenant(engine, "acme")
    yield engine
    engine.dispose()


@pytest.fixture
def training(engine: Engine) -> Training:
    subject = create_subject(engine, "acme", display_name="", class_noun="", key=IdempotencyKey(), consent=GIVEN).id
    with engine.begin() as connection:
        for number in range(6):
            connection.execute(
                sa.insert(schema.photos).values(
                    subject_id=subject,
                    sha256=f"{number}",
                    key=f"key-{number}",
                    object_sha256=f"object-{number}",
                    size_bytes=1,
                    width_px=64,
                    height_px=64,
                    position=number,
                    created_at=0.0,
                )
            )
    return create_training(
        engine,
        "acme",
        subject,
        options=TrainingOptions(rank=4),
        priority=1,
        key=IdempotencyKey(),
        validate_only=False,
    )


def test_requests_and_jobs_survive_the_database(engine: Engine, training: Training) -> None:
    job = TrainingJob(
        RUNNING,
        step=3,
        total_steps=9,
        loss=0.5,
        eta_seconds=6.5,
        curve=((1, 0.75), (2, 0.5)),
        revision=4,
        progress=TrainingProgress("VALIDATING", 0, 0, 2.5),
    )
    done = replace(job, state=SUCCEEDED, adapter=ADAPTER, revision=5, likeness=0.25)
    for reported in (job, done):
        mirror.record_job(engine, training.id, reported)
        stored = mirror.load(engine, training.id)
        assert stored is not None
        assert stored.job == reported
        assert stored.request == training.request
    assert TrainingRequest.from_json(training.request.to_json()) == training.request


def test_an_older_job_changes_nothing(engine: Engine, training: Training) -> None:
    mirror.record_job(engine, training.id, TrainingJob(RUNNING, step=5, revision=7))
    stored = mirror.record_job(engine, training.id, TrainingJob(RUNNING, step=4, revision=6))
    assert stored is not None
    assert stored.job.step == 5


def test_nothing_changes_after_the_end(engine: Engine, training: Training) -> None:
    mirror.record_job(engine, training.id, TrainingJob(CANCELLED, revision=7))
    stored = mirror.record_job(engine, training.id, TrainingJob(SUCCEEDED, adapter=ADAPTER, revision=8))
    assert stored is not None
    assert stored.job.state == CANCELLED
    assert stored.ended_at is not None
    assert not mirror.mark_sent(engine, training.id)
    mirror.set_status_message(engine, training.id, "late")
    again = training_rows.request_cancel(engine, "acme", training.subject_id, training.id)
    assert (again.status_message, again.revision) == ("", stored.revision)


def test_a_training_that_was_never_sent_is_cancelled_at_once(engine: Engine, training: Training) -> None:
    cancelled = training_rows.request_cancel(engine, "acme", training.subject_id, training.id)
    assert cancelled.job.state == CANCELLED
    assert not mirror.mark_sent(engine, training.id), "it must not be sent any more"
    assert mirror.active_trainings(engine) == []


@pytest.mark.parametrize("by_clock", [False, True])
@pytest.mark.parametrize("was_sent", [False, True])
def test_a_training_whose_consent_has_gone_is_not_sent_whatever_the_clock_says(
    engine: Engine, training: Training, was_sent: bool, by_clock: bool
) -> None:
    if was_sent:
        mirror.mark_sent(engine, training.id)
    with engine.begin() as connection:
        connection.execute(sa.delete(schema.consents))
    assert not mirror.mark_sent(engine, training.id, by_clock=by_clock)
    ended = mirror.load(engine, training.id)
    assert ended is not None
    assert (ended.job.state, ended.sent, ended.job.failure and ended.job.failure.reason) == (
        FAILED,
        was_sent,
        "CONSENT_MISSING",
    )
    assert [owed.id for owed in mirror.undelivered_cancels(engine)] == [training.id] * was_sent


def test_a_training_is_not_sent_and_not_ended_by_a_clock_that_is_not_trusted(
    engine: Engine, training: Training
) -> None:
    with engine.begin() as connection:
        connection.execute(sa.update(schema.retentions).values(expires_at=0.0))
    assert not mirror.mark_sent(engine, training.id, by_clock=False)
    waiting = mirror.load(engine, training.id)
    assert waiting is not None
    assert (waiting.job.state, waiting.sent, waiting.status_message) == (PENDING, False, MESSAGE)
    assert not mirror.mark_sent(engine, training.id)
    ended = mirror.load(engine, training.id)
    assert ended is not None
    assert (ended.job.state, ended.job.failure and ended.job.failure.reason) == (FAILED, "SUBJECT_EXPIRED")


def test_a_training_that_runs_goes_on_without_a_consent(engine: Engine, training: Training) -> None:
    mirror.record_job(engine, training.id, TrainingJob(RUNNING, step=3, revision=7))
    with engine.begin() as connection:
        connection.execute(sa.delete(schema.consents))
    assert mirror.end_withheld(engine) == []
    # Sent again, as after its trainer did not answer.
    assert mirror.mark_sent(engine, training.id)
    stored = mirror.load(engine, training.id)
    assert stored is not None
    assert stored.job.state == RUNNING


def test_cancelling_a_training_that_was_sent_waits_for_the_trainer(engine: Engine, training: Training) -> None:
    assert mirror.mark_sent(engine, training.id)
    asked = training_rows.request_cancel(engine, "acme", training.subject_id, training.id)
    assert (asked.job.state, asked.cancel_requested) == (PENDING, True)


def test_a_job_that_the_trainer_lost_starts_again(engine: Engine, training: Training) -> None:
    mirror.record_job(engine, training.id, TrainingJob(RUNNING, step=5, revision=7))
    mirror.mark_unsubmitted(engine, training.id)
    stored = mirror.load(engine, training.id)
    assert stored is not None
    assert (stored.submitted, stored.job) == (False, TrainingJob(PENDING))
    mirror.record_job(engine, training.id, TrainingJob(RUNNING, step=1, revision=1))
    stored = mirror.load(engine, training.id)
    assert stored is not None
    assert (stored.submitted, stored.job.step) == (True, 1)


def test_a_cancelled_training_learns_from_its_photos_until_a_trainer_knows(engine: Engine, training: Training) -> None:
    def learning() -> list[str | None]:
        with engine.connect() as connection:
            return [
                training_rows.learns_from(connection, training.subject_id, key) for key in ("key-0", "key-5", "key-6")
            ]

    name = f"subjects/{training.subject_id}/trainings/{training.id}"
    mirror.mark_sent(engine, training.id)
    training_rows.request_cancel(engine, "acme", training.subject_id, training.id)
    assert mirror.end_without_trainer(engine, training.id, patience_seconds=0.0)
    assert learning() == [name, name, None]
    mirror.mark_cancel_delivered(engine, training.id)
    assert learning() == [None, None, None]
