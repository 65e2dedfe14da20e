"""Opens the gateway's database for the commands that change it without a gateway."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from headshots.cli.folders import refuse_missing

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine


def open_gateway_database(url: str | None) -> Engine:
    """The database, with its schema. A folder that is missing is a slip, unless it is the home, which may be new.

    Raises:
        InvalidArgumentError: DATABASE_URL_INVALID.
    """
    from headshots.database import migrate, open_database
    from headshots.settings import Home

    if url is not None:
        refuse_missing(url, "HEADSHOTS_DATABASE_URL")
    engine = open_database(url or Home.from_environment(os.environ).database_url)
    migrate(engine)
    return engine
