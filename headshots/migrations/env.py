"""Runs the migrations, as Alembic's entry, on the connection that :func:`headshots.database.migrate` hands over."""

from __future__ import annotations

from alembic import context

from headshots.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
