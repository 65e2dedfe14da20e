"""Defines the gateway's tables of erasures: commitments to what is stored, erasures with their receipts, keys."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from headshots.schema.common import metadata

# What was stored of a subject, committed to when it was written; see services.gateway.erasures.commitments. A row goes
# with the object, and its salt with it.
commitments = Table(
    "commitments",
    metadata,
    # No foreign key: to check one takes a lock of the subject's row, and images are recorded under their gallery's.
    Column("subject_id", String(64), primary_key=True),
    # Key in the object store; empty: the subject itself.
    Column("object_key", Text, primary_key=True),
    Column("store_class", String(16), nullable=False),
    # 32 random bytes in hex, told to nobody.
    Column("salt", String(64), nullable=False),
    Column("object_sha256", String(64), nullable=False),
    Column("size_bytes", sa.BigInteger, nullable=False),
    # See headshots.receipts.merkle.
    Column("commitment", String(64), nullable=False),
    Column("created_at", Float, nullable=False),
)

# Each erasure of a subject; see services.gateway.erasures. A row outlives its subject, and identifies nobody once it is
# signed.
erasures = Table(
    "erasures",
    metadata,
    Column("id", String(32), primary_key=True),
    # No foreign key, as in `audit_events`.
    Column("tenant_id", String(64), nullable=False),
    # Whose it is; null once it is signed.
    Column("subject_id", String(64)),
    # The commitment to the subject; null where it was made before there were any.
    Column("subject_commitment", String(64)),
    Column("trigger", String(32), nullable=False),
    Column("policy", sa.JSON, nullable=False),
    # When it was asked for.
    Column("created_at", Float, nullable=False),
    # When everything of the subject was gone.
    Column("erased_at", Float),
    # What is told of the objects that were found; null until they are looked for.
    Column("summary", sa.JSON(none_as_null=True)),
    # Digests of the keys that are counted in it, salted, so that none is counted twice; null once it is signed.
    Column("salt", String(64)),
    Column("seen", sa.JSON(none_as_null=True)),
    # Generators by what they answered.
    Column("replicas", sa.JSON, nullable=False),
    # Reasons for which the receipt says less than others.
    Column("exceptions", sa.JSON, nullable=False),
    # Its place in the tenant's chain, from 1, the receipt and its digest; null until it is signed.
    Column("number", sa.BigInteger),
    Column("receipt", Text),
    Column("receipt_sha256", String(64)),
    Column("signed_at", Float),
    # Until when backups may have what was erased.
    Column("backups_until", Float),
    # When the log of erasures was seen to have a copy of the receipt; null until then.
    Column("copied_at", Float),
    UniqueConstraint("subject_id"),
    UniqueConstraint("tenant_id", "number"),
    Index("ix_erasures_tenant_id_created_at_id", "tenant_id", "created_at", "id"),
    Index("ix_erasures_subject_commitment", "subject_commitment"),
    # Those that are not signed are looked through every half minute: only they are in it.
    Index(
        "ix_erasures_unsigned",
        "signed_at",
        sqlite_where=sa.text("signed_at IS NULL"),
        postgresql_where=sa.text("signed_at IS NULL"),
    ),
    # So are receipts that have no copy, the newest first.
    Index(
        "ix_erasures_uncopied",
        "signed_at",
        sqlite_where=sa.text("copied_at IS NULL AND signed_at IS NOT NULL"),
        postgresql_where=sa.text("copied_at IS NULL AND signed_at IS NOT NULL"),
    ),
)

# The newest receipt of each tenant, which the next one follows; its row is locked while one is signed.
erasure_chains = Table(
    "erasure_chains",
    metadata,
    Column("tenant_id", ForeignKey("tenants.id"), primary_key=True),
    Column("head_number", Integer, nullable=False),
    Column("head_sha256", String(64), nullable=False),
)

# Public keys that receipts are signed with, also those of before.
erasure_keys = Table(
    "erasure_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("public_key_pem", Text, nullable=False),
    Column("created_at", Float, nullable=False),
)
