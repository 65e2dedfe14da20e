"""Adds the tenants' acceptance profiles, and to galleries and shots what judging and further tries need."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


# NULL in galleries of before: each style has `shots_per_style` shots, and nothing was promised.
def _of_galleries() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("style_shots", sa.JSON(), nullable=True),
        sa.Column("profile", sa.JSON(), nullable=True),
        sa.Column("max_tries", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("guarantee", sa.String(length=16), nullable=True),
        sa.Column("regenerates", sa.Text(), nullable=True),
    )


def _of_shots() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("earlier_attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("refused_tries", sa.JSON(), nullable=True),
        sa.Column("acceptance", sa.String(length=16), nullable=True),
        sa.Column("judged", sa.JSON(), nullable=True),
    )


def upgrade() -> None:
    """Create the table, add the columns; a shot that has its image had one try."""
    op.create_table(
        "profiles",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("request_parameters", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_profiles_tenant_id_tenants")),
        sa.PrimaryKeyConstraint("tenant_id", "name", "version", name=op.f("pk_profiles")),
        sa.UniqueConstraint("tenant_id", "request_id", name=op.f("uq_profiles_tenant_id_request_id")),
    )
    for column in _of_galleries():
        op.add_column("galleries", column)
    for column in _of_shots():
        op.add_column("shots", column)
    op.execute("UPDATE shots SET tries = 1 WHERE state = 'succeeded'")


def downgrade() -> None:
    """Drop them."""
    for column in reversed(_of_shots()):
        op.drop_column("shots", column.name)
    for column in reversed(_of_galleries()):
        op.drop_column("galleries", column.name)
    op.drop_table("profiles")
