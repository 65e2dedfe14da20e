"""Adds what a training does before its first step, one sentence for people. Older rows tell nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("training_jobs", sa.Column("phase_message", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    """Drop it: what is told before the first step is lost."""
    op.drop_column("training_jobs", "phase_message")
