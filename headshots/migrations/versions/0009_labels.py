"""Adds labels and an external id of the caller's to subjects, trainings, galleries, shoots, styles and profiles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_OF_TENANTS = ("subjects", "styles", "profiles")
_OF_SUBJECTS = ("trainings", "galleries", "shoots")


def upgrade() -> None:
    """Add the columns and the indexes."""
    for owner, tables in (("tenant_id", _OF_TENANTS), ("subject_id", _OF_SUBJECTS)):
        for table in tables:
            op.add_column(table, sa.Column("labels", sa.JSON(), nullable=False, server_default="{}"))
            op.add_column(table, sa.Column("external_id", sa.String(length=128), nullable=False, server_default=""))
            op.create_index(f"ix_{table}_{owner}_external_id", table, [owner, "external_id"])


def downgrade() -> None:
    """Drop the indexes and the columns."""
    for owner, tables in (("tenant_id", _OF_TENANTS), ("subject_id", _OF_SUBJECTS)):
        for table in tables:
            op.drop_index(f"ix_{table}_{owner}_external_id", table)
            op.drop_column(table, "external_id")
            op.drop_column(table, "labels")
