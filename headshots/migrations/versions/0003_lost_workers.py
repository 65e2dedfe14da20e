"""Counts for each shot the workers that were lost with it, and whether they held others too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_COLUMNS = ("lost_workers", "lone_losses", "lost_alone_by", "in_company")


def upgrade() -> None:
    """Add the columns. What is known of no running shot is whether it is alone, so all of them count as in company."""
    op.add_column("shots", sa.Column("lost_workers", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("shots", sa.Column("lone_losses", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("shots", sa.Column("lost_alone_by", sa.String(128), nullable=True))
    op.add_column("shots", sa.Column("in_company", sa.Boolean(), nullable=False, server_default=sa.false()))
    shots = sa.table("shots", sa.column("state", sa.String), sa.column("in_company", sa.Boolean))
    op.execute(sa.update(shots).where(shots.c.state == "running").values(in_company=sa.true()))


def downgrade() -> None:
    """Drop the columns."""
    with op.batch_alter_table("shots") as batch:
        for column in _COLUMNS:
            batch.drop_column(column)
