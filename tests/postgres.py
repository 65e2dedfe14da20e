"""A PostgreSQL server of the tests' own on loopback, where the server's programs are at hand."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from headshots.database import open_database

_numbers = itertools.count()


def _program(name: str) -> str | None:
    """On PATH, or where Debian puts it: outside."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(debian[-1]) if debian else None)


def available() -> bool:
    """Whether a server can be started: its programs are there, and a user other than root to run them as."""
    users = {entry.pw_name for entry in pwd.getpwall()}
    return bool(_program("initdb") and _program("postgres") and (_user() is None or _user() in users))


def _user() -> str | None:
    """The user to run the server as: None is ourselves. Root may not, and takes Debian's."""
    return "postgres" if os.geteuid() == 0 else None


@contextlib.contextmanager
def server() -> Iterator[str]:
    """A running server; yields the URL of its superuser without a database name."""
    user, initdb, postgres = _user(), _program("initdb"), _program("postgres")
    assert initdb
    assert postgres
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # pytest's own folders are closed to other users.
    with tempfile.TemporaryDirectory(prefix="headshots-postgres-") as folder:
        data = Path(folder) / "data"
        if user:
            shutil.chown(folder, user)
        subprocess.run(
            [initdb, "--pgdata", data, "--username", "tests", "--auth", "trust", "--no-sync", "--encoding", "UTF8"],
            user=user,
            cwd=folder,
            check=True,
            capture_output=True,
        )
        settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off"}
        arguments = [text for name, value in settings.items() for text in ("-c", f"{name}={value}")]
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(
                [postgres, "-D", data, *arguments], user=user, cwd=folder, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            url = f"postgresql+psycopg://tests@127.0.0.1:{port}"
            _wait(url, process, Path(folder) / "log")
            yield url
        finally:
            # A "fast" shutdown, which does not wait for clients.
            process.send_signal(signal.SIGINT)
            process.wait(30)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until the server answers."""
    engine = open_database(f"{url}/postgres")
    while True:
        try:
            with engine.connect():
                break
        except sa.exc.OperationalError:
            assert process.poll() is None, log.read_text()
    engine.dispose()


def fresh_database(server_url: str) -> str:
    """The URL of a new, empty database."""
    name = f"test{next(_numbers)}"
    engine = sa.create_engine(f"{server_url}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"{server_url}/{name}"
