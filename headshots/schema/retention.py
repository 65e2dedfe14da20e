"""Defines the gateway's tables of how long subjects, and parts of them, are kept."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String, Table

from headshots.schema.common import lease_columns, metadata

# Until when each subject is kept, a row a subject; see services.gateway.retention. A gateway that erases one whose time
# has come leases its row.
retentions = Table(
    "retentions",
    metadata,
    # The subject's.
    Column("id", ForeignKey("subjects.id"), primary_key=True),
    Column("tenant_id", ForeignKey("tenants.id"), nullable=False),
    *lease_columns(),
    # From when on nothing can be done with it. Not a column of `subjects`: it moves with each delivered gallery, under
    # the gallery's lock, and the subject's lock comes before that.
    Column("expires_at", Float, nullable=False),
    # How long it is kept after a delivery; null: as long as its tenant says.
    Column("own_seconds", Integer),
    # How long its photos are kept after a delivery; null: as its tenant says.
    Column("own_photo_seconds", Integer),
    # When the newest of its photos' times that began ends; null: none ever began.
    Column("photos_expire_at", Float),
    # Since when and why its time is suspended; null: it is not.
    Column("held_at", Float),
    Column("hold_reason", String(256)),
    # Looked through every half minute: a sweep reads those that are due and no others.
    Index(
        "ix_retentions_expires_at_id",
        "expires_at",
        "id",
        sqlite_where=sa.text("held_at IS NULL"),
        postgresql_where=sa.text("held_at IS NULL"),
    ),
    # A tenant's list of those that end soon.
    Index("ix_retentions_tenant_id_expires_at_id", "tenant_id", "expires_at", "id"),
)

# What of a subject goes before it, a row each until it is removed; see services.gateway.retention.terms. A gateway that
# removes what is due leases its row.
terms = Table(
    "terms",
    metadata,
    # The part and what it is of: `photos-SUBJECT`, `adapter-TRAINING`, `images-GALLERY`.
    Column("id", String(96), primary_key=True),
    Column("subject_id", ForeignKey("subjects.id"), nullable=False),
    *lease_columns(),
    Column("expires_at", Float, nullable=False),
    # A sweep reads those that are due and no others.
    Index("ix_terms_expires_at_id", "expires_at", "id"),
    Index("ix_terms_subject_id", "subject_id"),
)
