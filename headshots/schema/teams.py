"""Defines the gateway's tables of teams."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from headshots.schema.common import PENDING, labelling_columns, metadata, origin_column, request_columns

teams = Table(
    "teams",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant_id", ForeignKey("tenants.id"), nullable=False),
    *request_columns(),
    *labelling_columns(),
    Column("state", String(16), nullable=False, default=PENDING),
    Column("revision", Integer, nullable=False, default=1),
    Column("cancel_requested", sa.Boolean, nullable=False, default=False),
    # The look with its recipes and its profile, frozen when the team was made: for those who join later too.
    Column("look", sa.JSON, nullable=False),
    Column("recipes", sa.JSON, nullable=False),
    Column("profile", sa.JSON, nullable=False),
    Column("priority", Integer, nullable=False, default=1),
    # Of the newest member; numbers are never given again.
    Column("last_member", Integer, nullable=False, default=0),
    Column("failure_reason", String(64)),
    Column("failure_message", Text),
    Column("created_at", Float, nullable=False),
    Column("ended_at", Float),
    origin_column(),
    UniqueConstraint("tenant_id", "request_id"),
    Index("ix_teams_state", "state"),
    Index("ix_teams_tenant_id_external_id", "tenant_id", "external_id"),
    # A page of a tenant's, newest first.
    Index("ix_teams_tenant_id_created_at_id", "tenant_id", "created_at", "id"),
)

# A row goes with its subject.
team_members = Table(
    "team_members",
    metadata,
    Column("team_id", ForeignKey("teams.id"), primary_key=True),
    Column("subject_id", ForeignKey("subjects.id"), primary_key=True),
    # From 1, in the order in which they were added.
    Column("number", Integer, nullable=False),
    Column("may_train", sa.Boolean, nullable=False),
    Column("state", String(16), nullable=False, default=PENDING),
    # None before it is made.
    Column("shoot_id", String(64)),
    # Of the shoot when the team was last taken on: who watches the team is told of its progress.
    Column("shoot_revision", Integer, nullable=False, default=0),
    # Which images count, see services.gateway.teams.models.Portrait; what was measured of them stays with the images.
    Column("portraits", sa.JSON, nullable=False, default=list),
    # One sentence on what holds it up.
    Column("note", Text, nullable=False, default=""),
    Column("failure_reason", String(64)),
    Column("failure_message", Text),
    Column("joined_at", Float, nullable=False),
    UniqueConstraint("team_id", "number"),
    Index("ix_team_members_subject_id", "subject_id"),
    Index("ix_team_members_shoot_id", "shoot_id"),
)
