"""Defines the gateway's tables of the audit log: its events, and the chain of each tenant."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from headshots.schema.common import metadata

# What was done to subjects; see services.gateway.audit. Events survive their subject, so its id refers to no row.
audit_events = Table(
    "audit_events",
    metadata,
    # Of this table alone: events are linked in its order. SQLite counts up in columns of its own integers only.
    Column("id", sa.BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    # No foreign key: to check one takes a lock of the tenant's row, for which calls would wait.
    Column("tenant_id", String(64), nullable=False),
    # Its place in the tenant's chain, from 1, and the digest that links it to the event before; null until then.
    Column("number", sa.BigInteger),
    Column("sha256", String(64)),
    # Rounded to the microsecond, as callers are told it.
    Column("at", Float, nullable=False),
    # The API key that did it; empty: the gateway by itself.
    Column("key_id", String(32), nullable=False),
    Column("subject_id", String(64), nullable=False),
    Column("action", String(32), nullable=False),
    # Name of the training, gallery, image or shoot; empty: the subject itself, or its photos.
    Column("resource", Text, nullable=False),
    # How many photos, images or times.
    Column("count", Integer, nullable=False),
    UniqueConstraint("tenant_id", "number"),
    Index("ix_audit_events_tenant_id_subject_id_number", "tenant_id", "subject_id", "number"),
    # Events that wait to be linked are looked for every second: only those are in it.
    Index(
        "ix_audit_events_unlinked",
        "tenant_id",
        sqlite_where=sa.text("number IS NULL"),
        postgresql_where=sa.text("number IS NULL"),
    ),
)

# See headshots.audit.chain.
audit_chains = Table(
    "audit_chains",
    metadata,
    Column("tenant_id", ForeignKey("tenants.id"), primary_key=True),
    # The newest event that is linked; 0 and the digest that all chains begin with where there is none.
    Column("head_number", sa.BigInteger, nullable=False),
    Column("head_sha256", String(64), nullable=False),
    # The newest event that has left at the end of its term: what is kept goes on from it.
    Column("checkpoint_number", sa.BigInteger, nullable=False),
    Column("checkpoint_sha256", String(64), nullable=False),
)
