"""Creates the table of subjects' consents, which every tenant's subjects need from now on unless it is waived."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and the column."""
    op.add_column("tenants", sa.Column("consent_required", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_table(
        "consents",
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("statement_text", sa.Text(), nullable=False),
        sa.Column("statement_uri", sa.Text(), nullable=False),
        sa.Column("statement_sha256", sa.String(length=64), nullable=False),
        sa.Column("statement_version", sa.String(length=64), nullable=False),
        sa.Column("for_training", sa.Boolean(), nullable=False),
        sa.Column("for_painting", sa.Boolean(), nullable=False),
        sa.Column("given_at", sa.Float(), nullable=False),
        sa.Column("reference", sa.String(length=256), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=True),
        sa.Column("recorded_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_consents_subject_id_subjects")),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_consents")),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("consents")
    op.drop_column("tenants", "consent_required")
