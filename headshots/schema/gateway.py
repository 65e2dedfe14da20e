"""Defines the gateway's tables."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from headshots.schema.common import (
    DEFAULT_HIGH_LIMIT,
    DEFAULT_RETENTION_SECONDS,
    MAIN_POOL,
    NO_HIGH_WEIGHT,
    PENDING,
    labelling_columns,
    lease_columns,
    metadata,
    origin_column,
    request_columns,
)

tenants = Table(
    "tenants",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("display_name", String(128), nullable=False, default=""),
    # When a gateway last took a shot of theirs, for a fair share among tenants.
    Column("last_shot_at", Float, nullable=False, default=0.0),
    # How many times as much as other work the tenant's high-priority work may have running; 1: it has no right to any.
    Column("high_weight", Integer, nullable=False, default=NO_HIGH_WEIGHT),
    # How many of its trainings and shots of high priority may wait or run at a time, where it has the right.
    Column("high_limit", Integer, nullable=False, default=DEFAULT_HIGH_LIMIT),
    # Whether its subjects have to consent before they are trained and painted; only the operator waives it.
    Column("consent_required", sa.Boolean, nullable=False, default=True),
    # How long its subjects are kept after their last delivery, unless a subject says otherwise.
    Column("retention_seconds", Integer, nullable=False, default=DEFAULT_RETENTION_SECONDS),
    # How long photos are kept after a delivery, 0: they go with it; null: as long as their subject.
    Column("photo_retention_seconds", Integer),
    # The same of adapters after their delivery, and of images after their gallery has ended; null: as their subject.
    Column("adapter_retention_seconds", Integer),
    Column("image_retention_seconds", Integer),
    # What its images say of rights; null: what the installation says. An empty licence is none.
    Column("rights_owner", Text),
    Column("usage_terms", Text),
    Column("licence", Text),
    Column("prompts_in_images", sa.Boolean, nullable=False, default=False),
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
    # Every gateway counts the revoked ones four times a second.
    Index("ix_api_keys_revoked_at", "revoked_at"),
)

subjects = Table(
    "subjects",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant_id", ForeignKey("tenants.id"), nullable=False),
    Column("display_name", String(128), nullable=False, default=""),
    Column("class_noun", String(32), nullable=False),
    *request_columns(),
    *labelling_columns(),
    # Being erased: invisible to every call; any gateway that finds it finishes the job.
    Column("deleting", sa.Boolean, nullable=False, default=False),
    # When everything of it was gone; the row stays for a last look at the object store.
    Column("erased_at", Float),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("tenant_id", "request_id"),
    Index("ix_subjects_tenant_id_created_at", "tenant_id", "created_at"),
    # Erasures are looked for every half minute: only those rows are in it.
    Index(
        "ix_subjects_deleting", "deleting", sqlite_where=sa.text("deleting = 1"), postgresql_where=sa.text("deleting")
    ),
    Index("ix_subjects_tenant_id_external_id", "tenant_id", "external_id"),
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
    *labelling_columns(),
    Column("created_at", Float, nullable=False),
    # From when on no call uses it any more; null: it is kept as long as its subject, or until a delivery.
    Column("expires_at", Float),
)

trainings = Table(
    "trainings",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("subject_id", ForeignKey("subjects.id"), nullable=False),
    Column("tenant_id", ForeignKey("tenants.id"), nullable=False),
    *request_columns(),
    *labelling_columns(),
    Column("state", String(16), nullable=False, default=PENDING),
    Column("revision", Integer, nullable=False, default=0),
    # Whether it was ever sent to a trainer: before that it can be cancelled without asking one.
    Column("sent", sa.Boolean, nullable=False, default=False),
    # Whether the trainer has confirmed the job; until then the reconciler sends it again.
    Column("submitted", sa.Boolean, nullable=False, default=False),
    Column("cancel_requested", sa.Boolean, nullable=False, default=False),
    Column("cancel_requested_at", Float),
    # Ended here while a trainer may have the job: one has still to be told.
    Column("owes_cancel", sa.Boolean, nullable=False, default=False),
    # The StartTraining request as JSON, so that it can be sent again after a crash.
    Column("request", sa.JSON, nullable=False),
    # The newest TrainingJob as JSON.
    Column("job", sa.JSON, nullable=False, default=dict),
    # Which trainers have it, by the name of their pool; and the digest of the foundation that was asked for, empty
    # where the pool had not told its own yet.
    Column("pool", String(40), nullable=False, default=MAIN_POOL, server_default=MAIN_POOL),
    Column("foundation_digest", String(64), nullable=False, default="", server_default=""),
    # One sentence on what holds it up.
    Column("note", Text, nullable=False, default=""),
    Column("created_at", Float, nullable=False),
    Column("ended_at", Float),
    # From when on no call uses its adapter any more; null: it is kept as long as the subject.
    Column("adapter_expires_at", Float),
    origin_column(),
    UniqueConstraint("subject_id", "request_id"),
    Index("ix_trainings_state", "state"),
    # How long they take: the newest finished ones.
    Index("ix_trainings_state_ended_at", "state", "ended_at"),
    Index("ix_trainings_owes_cancel", "owes_cancel"),
    Index("ix_trainings_subject_id_external_id", "subject_id", "external_id"),
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
    *request_columns(),
    *labelling_columns(),
    Column("state", String(16), nullable=False, default=PENDING),
    Column("revision", Integer, nullable=False, default=0),
    Column("cancel_requested", sa.Boolean, nullable=False, default=False),
    # The recipes as they were when the gallery was made, in the order asked for.
    Column("styles", sa.JSON, nullable=False),
    # Shots of each style; 0 where they differ. `style_shots` has each style's; null: they are the same.
    Column("shots_per_style", Integer, nullable=False),
    Column("style_shots", sa.JSON(none_as_null=True)),
    Column("seed", sa.BigInteger, nullable=False),
    # `same` or `varied`: whether styles have seeds of their own; see services.gateway.galleries.orders.seeds.
    Column("style_seeds", String(8), nullable=False, default="same", server_default="same"),
    # The acceptance profile as it was when the gallery was made; null in galleries that are older than judging.
    Column("profile", sa.JSON(none_as_null=True)),
    Column("max_tries", Integer, nullable=False, default=1),
    # MET, NOT_MET or NOT_MEASURED in lower case, once it has succeeded.
    Column("guarantee", String(16)),
    # Name of the image that it was asked for in place of.
    Column("regenerates", Text),
    Column("priority", Integer, nullable=False, default=1),
    Column("format", Integer, nullable=False),
    Column("quality", Integer, nullable=False),
    Column("adapter", sa.JSON, nullable=False),
    # The adapter's, which says which generators can paint.
    Column("foundation_digest", String(64), nullable=False, default="", server_default=""),
    # The image that shots are painted over, with its key and SHA-256; null where they come from noise alone.
    Column("remix", sa.JSON(none_as_null=True)),
    # What its images are cut to, see headshots.looks.frame; null: nothing.
    Column("frame", sa.JSON(none_as_null=True)),
    # What its tenant said of rights when it was made; null: nothing. Its images say it, whenever they are painted.
    Column("rights", sa.JSON(none_as_null=True)),
    # One sentence on what holds it up.
    Column("note", Text, nullable=False, default=""),
    Column("failure_reason", String(64)),
    Column("failure_message", Text),
    Column("created_at", Float, nullable=False),
    # When its first shot was claimed.
    Column("started_at", Float),
    Column("ended_at", Float),
    # From when on no call finds its images any more; null: they are kept as long as the subject.
    Column("images_expire_at", Float),
    origin_column(),
    UniqueConstraint("subject_id", "request_id"),
    Index("ix_galleries_state", "state"),
    # How long they take: the newest finished ones.
    Index("ix_galleries_state_ended_at", "state", "ended_at"),
    Index("ix_galleries_subject_id_external_id", "subject_id", "external_id"),
    # A page of a subject's, newest first: without it all of them are read, whole, and sorted.
    Index("ix_galleries_subject_id_created_at_id", "subject_id", "created_at", "id"),
)

shots = Table(
    "shots",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("gallery_id", ForeignKey("galleries.id"), nullable=False),
    Column("number", Integer, nullable=False),
    *lease_columns(),
    Column("style", String(64), nullable=False),
    Column("seed", sa.BigInteger, nullable=False),
    # Tries that were recorded, and claims of before the last of them: attempts and losses are counted for each try.
    Column("tries", Integer, nullable=False, default=0),
    Column("earlier_attempts", Integer, nullable=False, default=0),
    # Tries that are not the shot's image; see services.gateway.galleries.images.tries.
    Column("refused_tries", sa.JSON(none_as_null=True)),
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
    # What the profile says of the image: in a word, and whole, with likeness, quality and view; null where it was never
    # judged. The word stays when the image is erased.
    Column("acceptance", String(16)),
    Column("judged", sa.JSON(none_as_null=True)),
    # Of the image, and erased with it.
    *labelling_columns(),
    Column("failure_reason", String(64)),
    Column("failure_message", Text),
    UniqueConstraint("gallery_id", "number"),
    Index("ix_shots_state_lease_expires_at", "state", "lease_expires_at"),
)
