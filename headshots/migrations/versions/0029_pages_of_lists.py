"""Adds the order of lists to galleries, shoots and teams: a page is read off the index instead of sorting all rows."""

from __future__ import annotations

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

OWNERS = {"galleries": "subject_id", "shoots": "subject_id", "teams": "tenant_id"}


def upgrade() -> None:
    """Make the indexes."""
    for table, owner in OWNERS.items():
        op.create_index(f"ix_{table}_{owner}_created_at_id", table, [owner, "created_at", "id"])


def downgrade() -> None:
    """Drop them."""
    for table, owner in OWNERS.items():
        op.drop_index(f"ix_{table}_{owner}_created_at_id", table)
