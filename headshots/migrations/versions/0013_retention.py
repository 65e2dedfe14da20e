"""Creates the table of how long subjects are kept. Those of before are kept for 30 days from the migration on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_DEFAULT_SECONDS = 30 * 86400
# The database's clock in seconds since the epoch. Written out: a migration does not change with the code.
_NOW = {
    "sqlite": "(julianday('now') - 2440587.5) * 86400.0",
    "postgresql": "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)",
}


def upgrade() -> None:
    """Create the table and the column, and a row for each subject that is there."""
    op.add_column(
        "tenants",
        sa.Column("retention_seconds", sa.Integer(), nullable=False, server_default=sa.text(str(_DEFAULT_SECONDS))),
    )
    table = op.create_table(
        "retentions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("lease_owner", sa.String(length=128), nullable=True),
        sa.Column("lease_expires_at", sa.Float(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("own_seconds", sa.Integer(), nullable=True),
        sa.Column("held_at", sa.Float(), nullable=True),
        sa.Column("hold_reason", sa.String(length=256), nullable=True),
        sa.ForeignKeyConstraint(["id"], ["subjects.id"], name=op.f("fk_retentions_id_subjects")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_retentions_tenant_id_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retentions")),
    )
    op.create_index(
        "ix_retentions_expires_at_id",
        "retentions",
        ["expires_at", "id"],
        sqlite_where=sa.text("held_at IS NULL"),
        postgresql_where=sa.text("held_at IS NULL"),
    )
    # One that is being erased needs none: with it the last step, which removes its row, would find it referred to.
    subjects = sa.table("subjects", sa.column("id"), sa.column("tenant_id"), sa.column("deleting", sa.Boolean()))
    expires_at: sa.ColumnClause[float] = sa.literal_column(f"{_NOW[op.get_bind().dialect.name]} + {_DEFAULT_SECONDS}")
    filled = ["id", "tenant_id", "state", "attempt", "revision", "cancel_requested", "expires_at"]
    constants: sa.TextClause = sa.text("'pending', 0, 0, false")
    kept = sa.select(subjects.c.id, subjects.c.tenant_id, constants, expires_at).where(sa.not_(subjects.c.deleting))
    op.execute(sa.insert(table).from_select(filled, kept, include_defaults=False))


def downgrade() -> None:
    """Drop them."""
    op.drop_table("retentions")
    op.drop_column("tenants", "retention_seconds")
