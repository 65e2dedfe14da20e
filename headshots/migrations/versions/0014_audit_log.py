"""Creates the tables of the audit log. What was done before is not in it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "audit_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("key_id", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_audit_events_tenant_id_number")),
    )
    op.create_index(
        "ix_audit_events_tenant_id_subject_id_number", "audit_events", ["tenant_id", "subject_id", "number"]
    )
    unlinked = sa.text("number IS NULL")
    op.create_index(
        "ix_audit_events_unlinked",
        "audit_events",
        ["tenant_id"],
        sqlite_where=unlinked,
        postgresql_where=unlinked,
    )
    op.create_table(
        "audit_chains",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("head_number", sa.BigInteger(), nullable=False),
        sa.Column("head_sha256", sa.String(length=64), nullable=False),
        sa.Column("checkpoint_number", sa.BigInteger(), nullable=False),
        sa.Column("checkpoint_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_audit_chains_tenant_id_tenants")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_audit_chains")),
    )


def downgrade() -> None:
    """Drop them, and with them the log."""
    op.drop_table("audit_chains")
    op.drop_table("audit_events")
