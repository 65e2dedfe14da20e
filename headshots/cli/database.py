"""Opens the gateway's database for the commands that change it without a gateway."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine


def open_gateway_database(url: str | None) -> Engine:
    """The database, with its schema. A folder that is missing is a slip, unless it is the home, which may be new.

    Raises:
        InvalidArgumentError: DATABASE_URL_INVALID.
    """
    from sqlalchemy.engine import make_url

    from headshots.database import migrate, open_database
    from headshots.errors import InvalidArgumentError
    from headshots.settings import Home

    if url is not None and url.startswith("sqlite:"):
        folder = Path(make_url(url).database or ".").absolute().parent
        if not folder.is_dir():
            raise InvalidArgumentError(
                "DATABASE_URL_INVALID",
                f"{url}: there is no folder {folder}; name the database that the gateway uses (HEADSHOTS_DATABASE_URL)",
            )
    engine = open_database(url or Home.from_environment(os.environ).database_url)
    migrate(engine)
    return engine
