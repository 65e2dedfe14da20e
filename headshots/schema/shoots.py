"""Defines the gateway's tables of shoots."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from headshots.schema.common import PENDING, labelling_columns, metadata, origin_column, request_columns

shoots = Table(
    "shoots",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("subject_id", ForeignKey("subjects.id"), nullable=False),
    Column("tenant_id", ForeignKey("tenants.id"), nullable=False),
    *request_columns(),
    *labelling_columns(),
    Column("state", String(16), nullable=False, default=PENDING),
    Column("revision", Integer, nullable=False, default=0),
    Column("cancel_requested", sa.Boolean, nullable=False, default=False),
    # What is to be painted, frozen when the shoot was made; see services.gateway.shoots.models.Plan.
    Column("plan", sa.JSON, nullable=False),
    Column("training_id", ForeignKey("trainings.id"), nullable=False),
    # Whether the training was made for the shoot.
    Column("trains", sa.Boolean, nullable=False),
    # None before painting begins. The gallery may be erased once the shoot has ended.
    Column("gallery_id", String(64)),
    # How far it is; see services.gateway.shoots.models.Progress.
    Column("progress", sa.JSON, nullable=False),
    Column("quote", sa.JSON, nullable=False),
    Column("deadline", Float),
    # One sentence on what holds it up.
    Column("note", Text, nullable=False, default=""),
    Column("failure_reason", String(64)),
    Column("failure_message", Text),
    Column("created_at", Float, nullable=False),
    Column("ended_at", Float),
    origin_column(),
    UniqueConstraint("subject_id", "request_id"),
    UniqueConstraint("gallery_id"),
    Index("ix_shoots_state", "state"),
    Index("ix_shoots_subject_id_external_id", "subject_id", "external_id"),
    # A page of a subject's, newest first.
    Index("ix_shoots_subject_id_created_at_id", "subject_id", "created_at", "id"),
)

# See services.gateway.shoots.events.
shoot_events = Table(
    "shoot_events",
    metadata,
    Column("shoot_id", ForeignKey("shoots.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("event", sa.JSON, nullable=False),
    Column("created_at", Float, nullable=False),
    Index("ix_shoot_events_created_at", "created_at"),
)
