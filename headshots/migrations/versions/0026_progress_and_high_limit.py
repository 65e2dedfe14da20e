"""Adds what a running training does, and bounds how much high-priority work a tenant may have at a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. Older jobs tell nothing; who has the right to high priority may have what a new grant gives."""
    op.add_column("training_jobs", sa.Column("progress", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("tenants", sa.Column("high_limit", sa.Integer(), nullable=False, server_default="64"))


def downgrade() -> None:
    """Drop them: how much a tenant may have is lost."""
    op.drop_column("tenants", "high_limit")
    op.drop_column("training_jobs", "progress")
