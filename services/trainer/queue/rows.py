"""Reads and writes the rows of ``training_jobs``. The trainer's SQL is in this module and in ``fair_share``."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine

from headshots import leases
from headshots.database import now_expression, read, write
from headshots.errors import AlreadyExistsError, NotFoundError
from headshots.schema import CANCELLED, PENDING, RUNNING, TERMINAL_STATES, training_jobs
from services.trainer.progress.phases import JobProgress
from services.trainer.queue.job import AdapterFiles, Failure, Job, JobRequest
from services.trainer.selection.scores import TrainingScores

# The longest list of values in a query.
_CHUNK = 500


def insert(
    engine: Engine, job_id: str, tenant: str, priority: int, request: JobRequest, foundation_digest: str = ""
) -> Job:
    """Queue a job for trainers of a foundation; with the same id and request again, return the job as it is.

    Raises:
        AlreadyExistsError: JOB_ID_TAKEN, when the id belongs to another request.
    """
    with write(engine) as connection:
        into = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        # Several gateways may follow one training and send it at the same moment: the first row is kept.
        connection.execute(
            into(training_jobs)
            .values(
                id=job_id,
                tenant=tenant,
                priority=priority,
                request=request.to_json(),
                foundation_digest=foundation_digest,
                created_at=now_expression(connection.dialect.name),
            )
            .on_conflict_do_nothing()
        )
        job = _get(connection, job_id)
    if (job.tenant, job.request) != (tenant, request):
        raise AlreadyExistsError("JOB_ID_TAKEN", f"job {job_id} exists with another request; choose another id")
    return job


def take_over(engine: Engine, job_id: str, foundation_digest: str) -> None:
    """Leave a job that no worker has to the trainers of this foundation; no effect on one that runs, or is over."""
    job = training_jobs.c
    now = now_expression(engine.dialect.name)
    others = sa.and_(job.id == job_id, job.foundation_digest != foundation_digest, leases.claimable(training_jobs, now))
    with read(engine) as connection:
        if connection.execute(sa.select(job.id).where(others)).first() is None:
            return
    with write(engine) as connection:
        connection.execute(sa.update(training_jobs).where(others).values(foundation_digest=foundation_digest))


def get(engine: Engine, job_id: str) -> Job:
    """One job.

    Raises:
        NotFoundError: JOB_NOT_FOUND.
    """
    with read(engine) as connection:
        return _get(connection, job_id)


def revisions(engine: Engine, job_ids: Sequence[str]) -> dict[str, int]:
    """The revisions of the jobs with these ids; those that do not exist are left out."""
    found: dict[str, int] = {}
    with read(engine) as connection:
        for at in range(0, len(job_ids), _CHUNK):
            wanted = training_jobs.c.id.in_(job_ids[at : at + _CHUNK])
            query = sa.select(training_jobs.c.id, training_jobs.c.revision).where(wanted)
            found |= {row.id: row.revision for row in connection.execute(query)}
    return found


def request_cancel(engine: Engine, job_id: str) -> Job:
    """Cancel a job that never ran at once; ask the worker to cancel any other. No effect on a job that is over.

    Raises:
        NotFoundError: JOB_NOT_FOUND.
    """
    with write(engine) as connection:
        now = now_expression(connection.dialect.name)
        mine = training_jobs.c.id == job_id
        revision = training_jobs.c.revision + 1
        done = connection.execute(
            sa.update(training_jobs)
            # A job that ran before may have left artefacts; only a worker removes those.
            .where(mine, training_jobs.c.state == PENDING, training_jobs.c.attempt == 0)
            .values(state=CANCELLED, cancel_requested=True, ended_at=now, eta_seconds=None, revision=revision)
        )
        if not done.rowcount:
            connection.execute(
                sa.update(training_jobs)
                .where(
                    mine,
                    training_jobs.c.state.not_in(TERMINAL_STATES),
                    training_jobs.c.cancel_requested.is_(False),
                )
                .values(cancel_requested=True, not_before=0.0, revision=revision)
            )
        return _get(connection, job_id)


def counts(engine: Engine) -> dict[str, int]:
    """Jobs that wait or run, by state. Ended jobs are left out: counting them would take ever longer."""
    with read(engine) as connection:
        rows = connection.execute(
            sa.select(training_jobs.c.state, sa.func.count())
            .where(training_jobs.c.state.in_((PENDING, RUNNING)))
            .group_by(training_jobs.c.state)
        ).all()
    return {row[0]: row[1] for row in rows}


def oldest_waiting_seconds(engine: Engine) -> float:
    """Age of the job that has waited longest; 0 when none waits."""
    with read(engine) as connection:
        now = now_expression(connection.dialect.name)
        query = sa.select(sa.func.max(now - training_jobs.c.created_at)).where(training_jobs.c.state == PENDING)
        return float(connection.execute(query).scalar() or 0.0)


def _get(connection: Connection, job_id: str) -> Job:
    row = connection.execute(sa.select(training_jobs).where(training_jobs.c.id == job_id)).first()
    if row is None:
        raise NotFoundError("JOB_NOT_FOUND", f"there is no training job {job_id}")
    return _job(row)


def _job(row: sa.Row[Any]) -> Job:
    failure = Failure(row.failure_reason, row.failure_message or "") if row.failure_reason else None
    same = {
        field.name: getattr(row, field.name)
        for field in dataclasses.fields(Job)
        if field.name not in ("request", "curve", "adapter", "scores", "last_failure", "progress", "queue_position")
    }
    return Job(
        request=JobRequest.from_json(row.request),
        curve=tuple((int(step), float(loss)) for step, loss in row.curve),
        adapter=AdapterFiles.from_json(row.adapter) if row.adapter else None,
        scores=TrainingScores.from_json(row.scores) if row.scores else None,
        last_failure=failure,
        progress=JobProgress.from_json(row.progress),
        **same,
    )
