"""Defines the gateway's table of watermarks that were given out."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Float, Index, Integer, String, Table, Text, UniqueConstraint

from headshots.schema.common import metadata

# What each watermark stands for; see services.gateway.marks. Rows survive what they stand for, as id, tenant and time
# of erasure, so no id in them refers to a row.
marks = Table(
    "marks",
    metadata,
    # Of this table alone: pictures that are equal have one mark, and are several objects where their formats differ.
    Column("id", sa.BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    # What the watermark carries, 16 hex digits.
    Column("mark_id", String(16), nullable=False),
    Column("tenant_id", String(64), nullable=False),
    # Whose picture it is, and its object; null: they are erased.
    Column("subject_id", String(64)),
    Column("object_key", Text),
    Column("erased_at", Float),
    UniqueConstraint("mark_id", "object_key"),
    Index("ix_marks_subject_id", "subject_id"),
)
