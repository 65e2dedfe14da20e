"""Creates the table of how far the database has followed the log of erasures; empty: it has not."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create it."""
    op.create_table(
        "erasure_log_marks",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("followed_until", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_log_marks")),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("erasure_log_marks")
