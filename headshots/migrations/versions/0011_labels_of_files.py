"""Adds labels and an external id of the caller's to photos and to the images of shots."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TABLES = ("photos", "shots")


def upgrade() -> None:
    """Add the columns. A subject has at most 100 photos and a gallery 160 shots: no list needs an index."""
    for table in _TABLES:
        op.add_column(table, sa.Column("labels", sa.JSON(), nullable=False, server_default="{}"))
        op.add_column(table, sa.Column("external_id", sa.String(length=128), nullable=False, server_default=""))


def downgrade() -> None:
    """Drop the columns."""
    for table in _TABLES:
        op.drop_column(table, "external_id")
        op.drop_column(table, "labels")
