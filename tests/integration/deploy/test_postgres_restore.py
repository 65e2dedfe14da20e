"""Nobody comes back from a dump of PostgreSQL: as the operations page says, with pg_dump, and pg_restore or psql."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from headshots import schema
from headshots.errors import NotFoundError
from headshots.v1 import subjects_pb2
from tests.integration.deploy.test_postgres import engine, everybody_opens_it, url  # noqa: F401
from tests.integration.gateway.conftest import world  # noqa: F401
from tests.integration.gateway.subjects import test_replaying
from tests.integration.gateway.subjects.test_replaying import (  # noqa: F401
    TABLES,
    get,
    test_nobody_comes_back_from_a_backup,
    test_receipts_of_since_the_backup_are_listed_again_and_the_next_follows_them,
)
from tests.support.deploy import postgres
from tests.support.gateway.caller import refused
from tests.support.gateway.world import World
from tests.support.grants import KEY_FILE
from tests.support.waiting import until

pytestmark = postgres.needed


def _run(program: str, database: str, *arguments: str | Path) -> None:
    """Of libpq's programs, which know no `+psycopg` in a URL."""
    address = make_url(database).set(drivername="postgresql").render_as_string(hide_password=False)
    command = [postgres.client_program(program), "--dbname", address, *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def dump(world: World, database: str, *options: str) -> Path:  # noqa: F811
    """A backup of the database by pg_dump, and a copy of the objects, while no gateway runs."""
    folder = world.folder / "backup"
    folder.mkdir()
    _run("pg_dump", database, *options, "--file", folder / "headshots.dump")
    shutil.copytree(world.folder / "objects" / "tenants", folder / "tenants")
    return folder


def drop(world: World, database: str) -> None:  # noqa: F811
    """The database is lost and made anew, empty."""
    world.database.dispose()
    address = make_url(database)
    admin = sa.create_engine(address.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {address.database} WITH (FORCE)"))
        connection.execute(sa.text(f"CREATE DATABASE {address.database}"))
    admin.dispose()


@pytest.fixture(autouse=True)
def backups_are_dumps(url: str, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """The tests that are run again copy files of SQLite; here they dump and restore."""

    def backup_of(world: World) -> Path:  # noqa: F811
        return dump(world, url, "--format", "custom")

    def restore(world: World, backup: Path) -> None:  # noqa: F811
        drop(world, url)
        _run("pg_restore", url, "--exit-on-error", backup / "headshots.dump")
        shutil.copytree(backup / "tenants", world.folder / "objects" / "tenants", dirs_exist_ok=True)

    monkeypatch.setattr(test_replaying, "backup_of", backup_of)
    monkeypatch.setattr(test_replaying, "restore", restore)


def replayed(world: World, database: str) -> dict[str, int]:  # noqa: F811
    """What `headshots erasure replay` has done, as the process that it starts."""
    own = {
        "HEADSHOTS_HOME": str(world.folder / "home"),
        "HEADSHOTS_DATABASE_URL": database,
        "HEADSHOTS_STORE_URL": (world.folder / "objects").as_uri(),
        "HEADSHOTS_INTERNAL_KEY_FILE": str(world.folder / KEY_FILE),
        "HEADSHOTS_GATEWAY_RECEIPT_KEY": str(world.folder / "receipt-key.pem"),
    }
    command = [sys.executable, "-m", "services.gateway.replay"]
    done = subprocess.run(command, env={**os.environ, **own}, stdout=subprocess.PIPE, check=True)
    answer = json.loads(done.stdout)
    return {name: answer[name] for name in ("subjects", "receipts")}


async def test_a_plain_dump_is_restored_by_psql_and_replayed_before_a_gateway_starts(
    world: World,  # noqa: F811
    url: str,  # noqa: F811
) -> None:
    erased, living = await world.acme.trained_subject(), await world.acme.trained_subject()
    await world.kill()
    backup = dump(world, url)
    await world.start(erase_again_seconds=0.1)
    await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=erased))
    await until(lambda: all(row.number for row in world.rows(schema.erasures)))
    await until(lambda: len(list((world.folder / "objects" / "erased" / "receipts").rglob("*.json"))) == 1)
    await world.kill()
    drop(world, url)
    _run("psql", url, "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--file", backup / "headshots.dump")
    shutil.copytree(backup / "tenants", world.folder / "objects" / "tenants", dirs_exist_ok=True)
    assert [len(world.rows(table)) for table in TABLES] == [12, 2, 0, 0, 2, 2], "the person is there again"
    assert replayed(world, url) == {"subjects": 1, "receipts": 1}
    assert [len(world.rows(table)) for table in TABLES] == [6, 1, 0, 0, 1, 1]
    assert not await world.store.list(f"tenants/acme/{erased}")
    assert replayed(world, url) == {"subjects": 0, "receipts": 0}
    await world.start()
    with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
        await get(world, erased)
    assert (await get(world, living)).photo_count == 6
