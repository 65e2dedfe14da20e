"""Looks at a database: whether it answers, its schema, its clock. Changes nothing in it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from headshots.database import damage, database_now, open_database, read, schema_revisions
from headshots.doctor.findings import Finding, failed, ok, skipped, warning
from headshots.doctor.places import first_start_makes
from headshots.doctor.running import Check
from headshots.errors import UnavailableError

CLOCK_SECONDS = 5.0
"""By which the database's clock and ours may differ. From a minute on services refuse each other's grants."""


class DatabaseLook:
    """Asks once, and tells in three checks."""

    def __init__(self, url: str) -> None:
        """`url` as `open_database` takes it."""
        self._url = url
        self._revision: str | None = None
        self._newest = ""
        self._is_known = False
        self._ahead_seconds: float | None = None
        self._why_not = "the database was not reached"

    @property
    def checks(self) -> list[Check]:
        """In the order in which they are to be run."""
        cure = (
            "see that the server runs, that this machine reaches it, and that user, password and name are right in "
            "HEADSHOTS_DATABASE_URL, or the service's own _DATABASE_URL"
        )
        return [
            Check("database", self._answers, cure),
            Check("schema", self._schema, "see the database above"),
            Check("clock", self._clock, "see the database above"),
        ]

    def _answers(self) -> Finding:
        file = file_of(self._url)
        if file is not None and not file.exists():
            self._why_not = "there is no database yet"
            return first_start_makes(file, "the database")
        if file is not None and not os.access(file, os.R_OK | os.W_OK):
            return failed(f"{file} cannot be read and written", "give it to the user that the services run as")
        engine = open_database(self._url)
        try:
            with read(engine) as connection:
                before = time.time()
                now = database_now(connection)
                self._ahead_seconds = now - (before + time.time()) / 2
                self._revision, self._newest, self._is_known = schema_revisions(connection)
                version = ".".join(map(str, connection.dialect.server_version_info or ()))
            kind = "SQLite" if file is not None else "PostgreSQL"
            place = str(file) if file is not None else f"{engine.url.host or 'its socket'}, {engine.url.database}"
        except UnavailableError as error:
            if error.__cause__ is None or not (why := damage(error.__cause__)):
                raise
            return failed(
                f"{file} is damaged, or is no SQLite database: {why}",
                "stop the services and put a backup in its place (docs/operations.md, Backups), without the files -wal "
                "and -shm that lie beside it",
            )
        finally:
            engine.dispose()
        return ok(f"{kind} {version} answers: {place}")

    def _schema(self) -> Finding:
        if not self._newest:
            return skipped(self._why_not)
        if self._revision is None:
            return ok(f"empty; the first start migrates it to {self._newest}")
        if self._revision == self._newest:
            return ok(f"at {self._revision}, the newest")
        if self._is_known:
            return warning(
                f"at {self._revision}; this version needs {self._newest}",
                "start a gateway or a trainer of this version: it migrates",
            )
        return failed(
            f"at {self._revision}, which this version does not know: a newer one has migrated it",
            "run the version that migrated it, or a newer one",
        )

    def _clock(self) -> Finding:
        if self._ahead_seconds is None:
            return skipped(self._why_not)
        apart = abs(self._ahead_seconds)
        if apart <= CLOCK_SECONDS:
            return ok(f"the database's and this machine's are {apart:.1f} s apart")
        side = "ahead of" if self._ahead_seconds > 0 else "behind"
        return warning(
            f"the database's is {apart:.0f} s {side} this machine's",
            "have both machines set their clocks by NTP; from a minute on services refuse each other's calls",
        )


def file_of(url: str) -> Path | None:
    """The file of an SQLite database; None of others, and of what is no URL, which opening it tells."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None
    return Path(parsed.database).absolute() if parsed.get_backend_name() == "sqlite" and parsed.database else None
