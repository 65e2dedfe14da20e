"""Runs the migrations, as Alembic's entry, on the connection that `upgrading.upgrade` has."""

from __future__ import annotations

from alembic import context

from headshots.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
