"""Creates the table of the tenants' own packs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "packs",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("pack", sa.JSON(), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("request_parameters", sa.JSON(), nullable=True),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("external_id", sa.String(length=128), nullable=False),
        sa.Column("archived_at", sa.Float(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_packs_tenant_id_tenants")),
        sa.PrimaryKeyConstraint("tenant_id", "name", "version", name=op.f("pk_packs")),
        sa.UniqueConstraint("tenant_id", "request_id", name=op.f("uq_packs_tenant_id_request_id")),
    )
    op.create_index("ix_packs_tenant_id_external_id", "packs", ["tenant_id", "external_id"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("packs")
