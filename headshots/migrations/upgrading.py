"""Runs the migrations through Alembic. Imported where there is one to run, and nowhere else: see `revisions`."""

from __future__ import annotations

import logging

from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Connection


def upgrade(connection: Connection) -> None:
    """Brings the schema to the newest revision, in the transaction that `connection` is in.

    Raises:
        alembic.util.CommandError: the schema is at a revision that this version does not know.
    """
    # It tells at each start what kind of database it met; that it migrates is worth a line.
    logging.getLogger("alembic.runtime.migration").addFilter(_is_about_migrations)
    config = Config()
    config.set_main_option("script_location", "headshots:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _is_about_migrations(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(("Context impl ", "Will assume "))
