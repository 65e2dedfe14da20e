"""Opening and migrating databases."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from headshots.database import migrate, open_database, read
from headshots.errors import InvalidArgumentError
from headshots.schema import metadata


def test_migrations_give_the_schema_that_the_code_uses(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'new' / 'folder' / 'a.db'}")
    migrate(engine)
    with read(engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_several_processes_may_migrate_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    failures: list[BaseException] = []

    def start() -> None:
        try:
            migrate(open_database(url))
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/db"])
def test_an_unusable_url_is_named(url: str) -> None:
    with pytest.raises(InvalidArgumentError, match="DATABASE_URL_INVALID"):
        open_database(url)
