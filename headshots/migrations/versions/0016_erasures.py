"""Creates the tables of erasures: commitments, receipts, their chains and keys. What was stored before has none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "commitments",
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("store_class", sa.String(length=16), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("object_sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "object_key", name=op.f("pk_commitments")),
    )
    _create_erasures()
    op.create_table(
        "erasure_chains",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("head_number", sa.Integer(), nullable=False),
        sa.Column("head_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_erasure_chains_tenant_id_tenants")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_erasure_chains")),
    )
    op.create_table(
        "erasure_keys",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("public_key_pem", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_keys")),
    )


def _create_erasures() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=True),
        sa.Column("subject_commitment", sa.String(length=64), nullable=True),
        sa.Column("trigger", sa.String(length=32), nullable=False),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("erased_at", sa.Float(), nullable=True),
        sa.Column("summary", sa.JSON(), nullable=True),
        sa.Column("salt", sa.String(length=64), nullable=True),
        sa.Column("seen", sa.JSON(), nullable=True),
        sa.Column("replicas", sa.JSON(), nullable=False),
        sa.Column("exceptions", sa.JSON(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.Column("receipt_sha256", sa.String(length=64), nullable=True),
        sa.Column("signed_at", sa.Float(), nullable=True),
        sa.Column("backups_until", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
        sa.UniqueConstraint("subject_id", name=op.f("uq_erasures_subject_id")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_erasures_tenant_id_number")),
    )
    op.create_index("ix_erasures_tenant_id_created_at_id", "erasures", ["tenant_id", "created_at", "id"])
    op.create_index("ix_erasures_subject_commitment", "erasures", ["subject_commitment"])
    unsigned = sa.text("signed_at IS NULL")
    op.create_index("ix_erasures_unsigned", "erasures", ["signed_at"], sqlite_where=unsigned, postgresql_where=unsigned)


def downgrade() -> None:
    """Drop them, and with them all receipts."""
    for table in ("erasure_keys", "erasure_chains", "erasures", "commitments"):
        op.drop_table(table)
