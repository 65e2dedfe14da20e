"""Defines the trainer's table."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Float, Index, Integer, String, Table, Text

from headshots.schema.common import lease_columns, metadata, origin_column

training_jobs = Table(
    "training_jobs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    *lease_columns(),
    Column("priority", Integer, nullable=False, default=1),
    # Not claimed before this time: back-off after a run that crashed.
    Column("not_before", Float, nullable=False, default=0.0),
    # Runs that gave the job back in order while their worker drained; they do not count as lost attempts.
    Column("handed_back", Integer, nullable=False, default=0),
    # Runs whose end was recorded, in whatever way; of the others only the lease's expiry told.
    Column("ended_runs", Integer, nullable=False, default=0),
    # Tries to remove a cancelled job's artefacts that the object store did not let succeed.
    Column("cleanings", Integer, nullable=False, default=0),
    # Of the foundation of the trainers that were asked; others leave it alone. Empty: of before there were several.
    Column("foundation_digest", String(64), nullable=False, default="", server_default=""),
    # The frozen request as JSON: photos, output prefix, class noun, options.
    Column("request", sa.JSON, nullable=False),
    Column("step", Integer, nullable=False, default=0),
    Column("total_steps", Integer, nullable=False, default=0),
    Column("loss", Float, nullable=False, default=0.0),
    Column("eta_seconds", Float),
    Column("curve", sa.JSON, nullable=False, default=list),
    # What a running job does before its first step, one sentence; empty: nothing that takes long.
    Column("phase_message", Text, nullable=False, default="", server_default=""),
    # How far a running job is in what it does; see services.trainer.progress.phases.JobProgress.
    Column("progress", sa.JSON(none_as_null=True)),
    Column("adapter", sa.JSON),
    Column("likeness", Float),
    # How its checkpoints were judged, as JSON.
    Column("scores", sa.JSON),
    Column("failure_reason", String(64)),
    Column("failure_message", Text),
    Column("created_at", Float, nullable=False),
    Column("started_at", Float),
    Column("ended_at", Float),
    origin_column(),
    Index("ix_training_jobs_state_lease_expires_at", "state", "lease_expires_at"),
    # For the fair share: how much of a tenant's runs, and when it was last served.
    Index("ix_training_jobs_tenant_state_lease_expires_at", "tenant", "state", "lease_expires_at"),
    Index("ix_training_jobs_tenant_started_at", "tenant", "started_at"),
    # How long runs take: the newest finished ones.
    Index("ix_training_jobs_state_ended_at", "state", "ended_at"),
)
