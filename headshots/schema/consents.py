"""Defines the gateway's table of what subjects agreed to."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Float, ForeignKey, String, Table, Text

from headshots.schema.common import metadata

# What each subject agreed to, the newest alone; see services.gateway.consents.
consents = Table(
    "consents",
    metadata,
    Column("subject_id", ForeignKey("subjects.id"), primary_key=True),
    # The statement itself, or where it is kept; empty the other one.
    Column("statement_text", Text, nullable=False),
    Column("statement_uri", Text, nullable=False),
    Column("statement_sha256", String(64), nullable=False),
    Column("statement_version", String(64), nullable=False),
    Column("for_training", sa.Boolean, nullable=False),
    Column("for_painting", sa.Boolean, nullable=False),
    # When the person agreed, as the caller tells it.
    Column("given_at", Float, nullable=False),
    Column("reference", String(256), nullable=False),
    # Null: until it is withdrawn.
    Column("expires_at", Float),
    Column("recorded_at", Float, nullable=False),
)
