"""Keeps what was asked with a `request_id`, so that the same id with something else is refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLES = ("subjects", "trainings", "galleries")


def upgrade() -> None:
    """Add the columns; what earlier calls asked is not known."""
    for table in _TABLES:
        op.add_column(table, sa.Column("request_parameters", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Drop the columns."""
    for table in _TABLES:
        with op.batch_alter_table(table) as batch:
            batch.drop_column("request_parameters")
