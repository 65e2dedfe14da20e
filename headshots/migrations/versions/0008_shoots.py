"""Creates the tables of shoots, and notes when galleries begin, from which their time is estimated."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_LATEST = ("trainings", "galleries")


def upgrade() -> None:
    """Create the tables, the column and the indexes."""
    op.add_column("galleries", sa.Column("started_at", sa.Float(), nullable=True))
    for table in _LATEST:
        op.create_index(f"ix_{table}_state_ended_at", table, ["state", "ended_at"])
    _create_shoots()
    _create_events()


def _create_shoots() -> None:
    op.create_table(
        "shoots",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("request_parameters", sa.JSON(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("training_id", sa.String(length=64), nullable=False),
        sa.Column("trains", sa.Boolean(), nullable=False),
        sa.Column("gallery_id", sa.String(length=64), nullable=True),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("quote", sa.JSON(), nullable=False),
        sa.Column("deadline", sa.Float(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("failure_reason", sa.String(length=64), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_shoots_subject_id_subjects")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_shoots_tenant_id_tenants")),
        sa.ForeignKeyConstraint(["training_id"], ["trainings.id"], name=op.f("fk_shoots_training_id_trainings")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shoots")),
        sa.UniqueConstraint("gallery_id", name=op.f("uq_shoots_gallery_id")),
        sa.UniqueConstraint("subject_id", "request_id", name=op.f("uq_shoots_subject_id_request_id")),
    )
    op.create_index("ix_shoots_state", "shoots", ["state"])


def _create_events() -> None:
    op.create_table(
        "shoot_events",
        sa.Column("shoot_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("event", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["shoot_id"], ["shoots.id"], name=op.f("fk_shoot_events_shoot_id_shoots")),
        sa.PrimaryKeyConstraint("shoot_id", "number", name=op.f("pk_shoot_events")),
    )
    op.create_index("ix_shoot_events_created_at", "shoot_events", ["created_at"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("shoot_events")
    op.drop_table("shoots")
    for table in _LATEST:
        op.drop_index(f"ix_{table}_state_ended_at", table)
    op.drop_column("galleries", "started_at")
