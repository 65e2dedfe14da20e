"""Defines the tables. Services share the database; each owns its tables: all but ``training_jobs`` are the gateway's.

Times are seconds since the epoch by the database's clock; JSON columns hold plain objects.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# The states of a leased row; JobState of the protos in lower case.
PENDING, RUNNING, SUCCEEDED, FAILED, CANCELLED = "pending", "running", "succeeded", "failed", "cancelled"
TERMINAL_STATES = (SUCCEEDED, FAILED, CANCELLED)


def _lease_columns() -> list[Column[object]]:
    """What makes a row claimable work; see :mod:`headshots.leases`."""
    return [
        Column("state", String(16), nullable=False, default=PENDING),
        Column("lease_owner", String(128)),
        Column("lease_expires_at", Float),
        Column("attempt", Integer, nullable=False, default=0),
        Column("revision", Integer, nullable=False, default=0),
        Column("cancel_requested", sa.Boolean, nullable=False, default=False),
    ]


tenants = Table(
    "tenants",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("display_name", String(128), nullable=False, default=""),
    # When a gateway last took a shot of theirs, for a fair share among tenants.
    Column("last_shot_at", Float, nullable=False, default=0.0),
    Column("created_at", Float, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tenant_id", ForeignKey("tenants.id"), nullable=False),
    Column("secret_sha256", String(64), nullable=False),
    Column("label", String(128), nullable=False, default=""),
    Column("created_at", Float, nullable=False),
    Column("revoked_at", Float),
)

subjects = Table(
    "subjects",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant_id", ForeignKey("tenants.id"), nullable=False),
    Column("display_name", String(128), nullable=False, default=""),
    Column("class_noun", String(32), nullable=False),
    Column("request_id", String(64)),
    # All else that was asked with it, as JSON; see services.gateway.api.requests.
    Column("request_parameters", sa.JSON(none_as_null=True)),
    # Being erased: invisible to every call; any gateway that finds it finishes the job.
    Column("deleting", sa.Boolean, nullable=False, default=False),
    # When everything of it was gone; the row stays for a last look at the object store.
    Column("erased_at", Float),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("tenant_id", "request_id"),
    Index("ix_subjects_tenant_id_created_at", "tenant_id", "created_at"),
    # Erasures are looked for every half minute: only those rows are in it.
    Index(
        "ix_subjects_deleting",
        "deleting",
        sqlite_where=sa.text("deleting = 1"),
        postgresql_where=sa.text("deleting"),
    ),
)

photos = Table(
    "photos",
    metadata,
    Column("subject_id", ForeignKey("subjects.id"), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("key", Text, nullable=False),
    Column("object_sha256", String(64), nullable=False),
    Column("filename", String(255), nullable=False, default=""),
    Column("size_bytes", Integer, nullable=False),
    Column("width_px", Integer, nullable=False),
    Column("height_px", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
)

trainings = Table(
    "trainings",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("subject_id", ForeignKey("subjects.id"), nullable=False),
    Column("tenant_id", ForeignKey("tenants.id"), nullable=False),
    Column("request_id", String(64)),
    # All else that was asked with it, as JSON; see services.gateway.api.requests.
    Column("request_parameters", sa.JSON(none_as_null=True)),
    Column("state", String(16), nullable=False, default=PENDING),
    Column("revision", Integer, nullable=False, default=0),
    # Whether it was ever sent to a trainer: before that it can be cancelled without asking one.
    Column("sent", sa.Boolean, nullable=False, default=False),
    # Whether the trainer has confirmed the job; until then the reconciler sends it again.
    Column("submitted", sa.Boolean, nullable=False, default=False),
    Column("cancel_requested", sa.Boolean, nullable=False, default=False),
    Column("cancel_requested_at", Float),
    # Cancelled while no trainer answered: one has still to be told.
    Column("owes_cancel", sa.Boolean, nullable=False, default=False),
    # The StartTraining request as JSON, so that it can be sent again after a crash.
    Column("request", sa.JSON, nullable=False),
    # The newest TrainingJob as JSON.
    Column("job", sa.JSON, nullable=False, default=dict),
    # One sentence on what holds it up.
    Column("note", Text, nullable=False, default=""),
    Column("created_at", Float, nullable=False),
    Column("ended_at", Float),
    UniqueConstraint("subject_id", "request_id"),
    Index("ix_trainings_state", "state"),
    Index("ix_trainings_owes_cancel", "owes_cancel"),
)

# See services.gateway.trainings.events.
training_events = Table(
    "training_events",
    metadata,
    Column("training_id", ForeignKey("trainings.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("event", sa.JSON, nullable=False),
    Column("created_at", Float, nullable=False),
    Index("ix_training_events_created_at", "created_at"),
)

galleries = Table(
    "galleries",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("subject_id", ForeignKey("subjects.id"), nullable=False),
    Column("tenant_id", ForeignKey("tenants.id"), nullable=False),
    Column("request_id", String(64)),
    # All else that was asked with it, as JSON; see services.gateway.api.requests.
    Column("request_parameters", sa.JSON(none_as_null=True)),
    Column("state", String(16), nullable=False, default=PENDING),
    Column("revision", Integer, nullable=False, default=0),
    Column("cancel_requested", sa.Boolean, nullable=False, default=False),
    # The recipes as they were when the gallery was made, in the order asked for.
    Column("styles", sa.JSON, nullable=False),
    Column("shots_per_style", Integer, nullable=False),
    Column("seed", sa.BigInteger, nullable=False),
    Column("priority", Integer, nullable=False, default=1),
    Column("format", Integer, nullable=False),
    Column("quality", Integer, nullable=False),
    Column("adapter", sa.JSON, nullable=False),
    # The image that shots are painted over, with its key and SHA-256; null where they come from noise alone.
    Column("remix", sa.JSON(none_as_null=True)),
    # One sentence on what holds it up.
    Column("note", Text, nullable=False, default=""),
    Column("failure_reason", String(64)),
    Column("failure_message", Text),
    Column("created_at", Float, nullable=False),
    Column("ended_at", Float),
    UniqueConstraint("subject_id", "request_id"),
    Index("ix_galleries_state", "state"),
)

shots = Table(
    "shots",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("gallery_id", ForeignKey("galleries.id"), nullable=False),
    Column("number", Integer, nullable=False),
    *_lease_columns(),
    Column("style", String(64), nullable=False),
    Column("seed", sa.BigInteger, nullable=False),
    # Claims that ended through no fault of the shot (generator away or full, gateway drained or lost).
    Column("uncounted_attempts", Integer, nullable=False, default=0),
    # Workers that were lost while they held it; see services.gateway.galleries.claiming.
    Column("lost_workers", Integer, nullable=False, default=0),
    # Of these, how many different ones held no other shot at any time of that claim, and which one was the last.
    Column("lone_losses", Integer, nullable=False, default=0),
    Column("lost_alone_by", String(128)),
    # Whether the worker that has it has held another shot beside it since it claimed it.
    Column("in_company", sa.Boolean, nullable=False, default=False),
    # Not claimed before this time: back-off after a generator that was away.
    Column("not_before", Float, nullable=False, default=0.0),
    Column("image_key", Text),
    Column("image", sa.JSON),
    Column("failure_reason", String(64)),
    Column("failure_message", Text),
    UniqueConstraint("gallery_id", "number"),
    Index("ix_shots_state_lease_expires_at", "state", "lease_expires_at"),
)

training_jobs = Table(
    "training_jobs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    *_lease_columns(),
    Column("priority", Integer, nullable=False, default=1),
    # Not claimed before this time: back-off after a run that crashed.
    Column("not_before", Float, nullable=False, default=0.0),
    # Runs that gave the job back in order while their worker drained; they do not count as lost attempts.
    Column("handed_back", Integer, nullable=False, default=0),
    # Runs whose end was recorded, in whatever way; of the others only the lease's expiry told.
    Column("ended_runs", Integer, nullable=False, default=0),
    # Tries to remove a cancelled job's artefacts that the object store did not let succeed.
    Column("cleanings", Integer, nullable=False, default=0),
    # The frozen request as JSON: photos, output prefix, class noun, options.
    Column("request", sa.JSON, nullable=False),
    Column("step", Integer, nullable=False, default=0),
    Column("total_steps", Integer, nullable=False, default=0),
    Column("loss", Float, nullable=False, default=0.0),
    Column("eta_seconds", Float),
    Column("curve", sa.JSON, nullable=False, default=list),
    Column("adapter", sa.JSON),
    Column("likeness", Float),
    # How its checkpoints were judged, as JSON.
    Column("scores", sa.JSON),
    Column("failure_reason", String(64)),
    Column("failure_message", Text),
    Column("created_at", Float, nullable=False),
    Column("started_at", Float),
    Column("ended_at", Float),
    Index("ix_training_jobs_state_lease_expires_at", "state", "lease_expires_at"),
    # For the fair share: how much of a tenant's runs, and when it was last served.
    Index("ix_training_jobs_tenant_state_lease_expires_at", "tenant", "state", "lease_expires_at"),
    Index("ix_training_jobs_tenant_started_at", "tenant", "started_at"),
    # How long runs take: the newest finished ones.
    Index("ix_training_jobs_state_ended_at", "state", "ended_at"),
)
