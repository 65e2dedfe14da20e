"""Creates the table of watermarks. Images of before have none in it; their signatures tell where they come from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "marks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mark_id", sa.String(length=16), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=True),
        sa.Column("object_key", sa.Text(), nullable=True),
        sa.Column("erased_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_marks")),
        sa.UniqueConstraint("mark_id", "object_key", name=op.f("uq_marks_mark_id_object_key")),
    )
    op.create_index("ix_marks_subject_id", "marks", ["subject_id"])


def downgrade() -> None:
    """Drop it: which images are erased is not known any more."""
    op.drop_table("marks")
